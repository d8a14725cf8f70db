/** The program in cert-manager's solver pods: answers one challenge and nothing else (cmd/acmesolver). */
import { z } from 'zod';
import type { HttpResponse } from '../../network';
import type { Pod } from '../objects';

export const CHALLENGE_PATH = '/.well-known/acme-challenge/';

const Arguments = z.looseObject({ args: z.array(z.string()) });

export function solve(pod: Pod, host: string, path: string): HttpResponse {
  const { args } = Arguments.parse(pod.spec.containers[0]);
  const value = (flag: string) => args.find((arg) => arg.startsWith(`--${flag}=`))?.slice(flag.length + 3);
  const mine = host === value('domain') && path === `${CHALLENGE_PATH}${value('token')}`;
  return mine ? { status: 200, body: value('key') ?? '' } : { status: 404, body: 'invalid token or host' };
}
