/** The promise of every node script: exactly one line of JSON, the last one of stdout. */
import type * as z from 'zod/mini';
import { type Parsed, parse } from './parse';

/** EX_TEMPFAIL (sysexits.h): how a script says that its time has not come. */
export const TRY_AGAIN = 75;

/** Parses what a script printed, by its entry of SCRIPT_OUTPUT; the faults name the fields. */
export function parseScriptOutput<T>(schema: z.ZodMiniType<T>, stdout: string): Parsed<T> {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { faults: [`the last line of stdout is not JSON: ${line === '' ? 'it is empty' : excerpt(line)}`] };
  }
  return parse(schema, json, 'last line of stdout');
}

const excerpt = (line: string) => (line.length > 200 ? `${line.slice(0, 200)}… (${line.length} characters)` : line);

/** The end of stderr, where scripts say why they failed. */
export const lastLines = (text: string, count = 5) => text.trimEnd().split('\n').slice(-count).join('\n');
