/** Which AWS a tool works on: the embedded one of `npm run local`, or the account of the person's credentials. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ClientSettings } from '../functions/aws/client';
import { matching, port, switched, UsageError, type Values } from './arguments';
import { ToolError } from './run';

export const TARGET_FLAGS = {
  port: port('the embedded AWS at this port (default 4566, or AWS_ENDPOINT_URL)'),
  aws: switched('the account of your credentials, even while the embedded AWS runs'),
  stack: matching(
    'NAME',
    'this stack of your account (default: the one of cluster.json)',
    /^k3s-[a-z0-9-]+$/,
    'k3s-<cluster>',
  ),
  region: matching(
    'NAME',
    'your account in this region (default: of cluster.json, else of your profile)',
    /^[a-z]{2}(-[a-z]+)+-\d$/,
    'an AWS region',
  ),
};

/** Where an AWS is asked, and how its time passes there. */
export interface Target {
  kind: 'embedded' | 'account';
  /** For people. */
  description: string;
  client: ClientSettings;
  stack: string;
  /** AWS time, epoch ms. */
  now(): number;
  /** Waits for so much AWS time, ms. */
  sleep(ms: number): Promise<void>;
}

/** What the command line and the environment say. */
export type Choice =
  /** `sure`: a person named it; otherwise it is used only if it answers. */
  { kind: 'embedded'; url: string; sure: boolean } | { kind: 'account' };

type Flags = Values<typeof TARGET_FLAGS>;

const DEFAULT_URL = 'http://127.0.0.1:4566';

/** The embedded AWS has this one region; any credentials do. */
const EMBEDDED: ClientSettings = {
  region: 'eu-west-3',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};

/**
 * Decides where to look. Naming a stack, a region or `--aws` means the account; naming a port or AWS_ENDPOINT_URL means the
 * embedded AWS; otherwise the embedded AWS if one runs.
 * @throws UsageError when both are meant
 */
export function choose({ port, aws, stack, region }: Flags, env: { AWS_ENDPOINT_URL?: string }): Choice {
  const endpoint = env.AWS_ENDPOINT_URL || undefined;
  const flag = aws ? '--aws' : stack !== undefined ? '--stack' : region !== undefined ? '--region' : undefined;
  if (flag !== undefined) {
    if (port !== undefined) throw new UsageError(`${flag} means your account and --port the embedded AWS: name one`);
    if (endpoint !== undefined) {
      throw new UsageError(`${flag} means your account, but AWS_ENDPOINT_URL is ${endpoint}: unset it first`);
    }
    return { kind: 'account' };
  }
  if (port !== undefined) return { kind: 'embedded', url: `http://127.0.0.1:${port}`, sure: true };
  if (endpoint !== undefined) return { kind: 'embedded', url: endpoint.replace(/\/$/, ''), sure: true };
  return { kind: 'embedded', url: DEFAULT_URL, sure: false };
}

/**
 * Finds the AWS to work on.
 * @param configured of cluster.json
 * @throws ToolError when the embedded AWS was named and does not answer
 */
export async function findTarget(flags: Flags, configured: { stack: string; region?: string }): Promise<Target> {
  const choice = choose(flags, process.env);
  const stack = flags.stack ?? configured.stack;
  if (choice.kind === 'embedded') {
    const time = await measureTime(choice.url);
    if (time) return embeddedTarget(choice.url, stack, time);
    if (choice.sure) throw new ToolError(`no embedded AWS answers at ${choice.url}: "npm run local" starts one`);
  }
  const region = flags.region ?? configured.region;
  return {
    kind: 'account',
    description: `your AWS account${region ? `, ${region}` : ''}`,
    client: region === undefined ? {} : { region },
    stack,
    now: Date.now,
    sleep: (ms) => delay(ms),
  };
}

/** The embedded AWS at a URL, with a clock that knows its time. */
export function embeddedTarget(url: string, stack: string, time: Pick<Target, 'now' | 'sleep'>): Target {
  return {
    kind: 'embedded',
    description: `embedded AWS at ${url}`,
    client: { ...EMBEDDED, endpoint: url },
    stack,
    now: time.now,
    sleep: time.sleep,
  };
}

const STATE = z.object({ at: z.iso.datetime().transform((at) => Date.parse(at)) });
const SAMPLE_MS = 150;

/** The embedded AWS' time runs faster than ours: two looks at it tell how much. Undefined: it does not answer. */
async function measureTime(url: string): Promise<Pick<Target, 'now' | 'sleep'> | undefined> {
  const first = await readTime(url);
  if (!first) return undefined;
  await delay(SAMPLE_MS);
  const second = await readTime(url);
  return second && timeFrom(first, second, () => readTime(url));
}

/** One look at a clock. */
export interface Sample {
  /** By our own clock, ms since some moment. */
  here: number;
  /** By that clock, epoch ms. */
  there: number;
}

/**
 * A clock that goes on as these two looks at it say. It is looked at again after each wait, because the embedded AWS is
 * not accelerated while it computes: who only extrapolates would lose patience with it too early.
 */
export function timeFrom(
  first: Sample,
  second: Sample,
  look: () => Promise<Sample | undefined>,
  here = () => performance.now(),
): Pick<Target, 'now' | 'sleep'> {
  const pace = (second.there - first.there) / (second.here - first.here);
  let last = second;
  return {
    now: () => last.there + (here() - last.here) * pace,
    sleep: async (ms) => {
      await delay(ms / pace);
      last = (await look()) ?? last;
    },
  };
}

async function readTime(url: string): Promise<Sample | undefined> {
  let answer: unknown;
  try {
    const response = await fetch(`${url}/_local/state`, { signal: AbortSignal.timeout(2000) });
    answer = await response.json();
  } catch {
    return undefined;
  }
  const state = STATE.safeParse(answer);
  return state.success ? { here: performance.now(), there: state.data.at } : undefined;
}
