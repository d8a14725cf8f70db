/** Calls of the embedded AWS by its own parts in somebody's name: authorised and answered like any other call. */
import { z } from 'zod';
import { AwsError, type World } from '../aws/service';
import type { Caller } from '../credentials';
import type { Endpoint } from './http';
import { sign } from './sign';

/** One operation of a service that speaks JSON 1.1. */
export interface JsonCall {
  /** The signing name. */
  service: string;
  /** The prefix of `x-amz-target`. */
  target: string;
  operation: string;
  input: object;
}

const FAULT = z.object({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

/** @throws AwsError as the operation was answered */
export async function callJson(
  endpoint: Endpoint,
  { clock, region }: World,
  caller: Caller,
  { service, target, operation, input }: JsonCall,
): Promise<unknown> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host: `${service}.${region}.amazonaws.com`,
    'x-amz-target': `${target}.${operation}`,
  };
  const body = JSON.stringify(input);
  const request = sign({ service, region, method: 'POST', path: '/', headers, body }, caller, clock.now());
  const response = await endpoint(request);
  const answer: unknown = JSON.parse(response.body.toString('utf8'));
  if (response.status === 200) return answer;
  const { __type, message, Message } = FAULT.parse(answer);
  throw new AwsError(__type.split('#').at(-1) ?? __type, message ?? Message ?? '', response.status);
}
