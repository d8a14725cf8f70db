/** `npm run fault -- kill server-1`: breaks something in the embedded AWS that `npm run local` runs. */
import { z } from 'zod';
import { port, type Values } from './arguments';
import { type Order, readOrder, verbHelp } from './fault/verbs';
import { runTool, ToolError } from './run';

const TOOL = {
  name: 'fault',
  purpose: 'Breaks something in the embedded AWS that npm run local runs, so that you can watch it heal.',
  flags: { port: port('port of the embedded AWS (default 4566, or AWS_ENDPOINT_URL)') },
  words: { placeholder: 'WHAT', help: verbHelp() },
};

/** What the embedded AWS tells of a fault. */
const REPORT = z.looseObject({ id: z.string(), at: z.iso.datetime(), effect: z.string() });
const CLEARED = z.looseObject({ ended: z.array(REPORT), remaining: z.array(REPORT) });
const REFUSAL = z.object({ error: z.string() });

/**
 * Carries an order out.
 * @returns what was done, for people
 * @throws ToolError when nothing answers at the URL, or the embedded AWS refuses
 */
export async function carryOut(url: string, order: Order): Promise<string> {
  switch (order.does) {
    case 'inject':
      return REPORT.parse(await call(url, 'POST', order.fault)).effect;
    case 'clear':
      return describeCleared(CLEARED.parse(await call(url, 'DELETE')));
    case 'list': {
      const faults = z.array(REPORT).parse(await call(url, 'GET'));
      if (faults.length === 0) return 'no fault is in force';
      return faults.map(({ id, at, effect }) => `${id}  since ${at.slice(11, 19)}  ${effect}`).join('\n');
    }
  }
}

/** A fault, as far as people are told of it. */
type Told = { effect: string };

/** What has ended, and what lasts until its machine is gone. */
export function describeCleared({ ended, remaining }: { ended: Told[]; remaining: Told[] }): string {
  const lines = [
    ...ended.map(({ effect }) => `ended: ${effect}`),
    ...remaining.map(({ effect }) => `lasts: ${effect}`),
  ];
  return lines.join('\n') || 'no fault was in force';
}

async function call(url: string, method: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${url}/_local/faults`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new ToolError(`no embedded AWS answers at ${url}: "npm run local" starts one`);
  });
  const text = await response.text();
  const answer: unknown = parseJson(text);
  if (response.ok) return answer;
  const refusal = REFUSAL.safeParse(answer);
  throw new ToolError(
    refusal.success ? refusal.data.error : `the embedded AWS answered ${response.status}: ${text.trim()}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function main({ port }: Values<typeof TOOL.flags>, words: string[]): Promise<number> {
  const url = port === undefined ? (process.env.AWS_ENDPOINT_URL ?? DEFAULT_URL) : `http://127.0.0.1:${port}`;
  console.log(await carryOut(url.replace(/\/$/, ''), readOrder(words)));
  return 0;
}

const DEFAULT_URL = 'http://127.0.0.1:4566';

if (require.main === module) runTool(TOOL, main);
