/** Parse, don't cast: what comes from outside goes through a schema once, and all its faults are reported together. */

import { en } from 'zod/locales';
import * as z from 'zod/mini';

// zod/mini speaks no language by default; one locale costs 3 kB.
z.config(en());

type Schema<T> = z.ZodMiniType<T>;
type Issue = z.core.$ZodIssue;

export type Parsed<T> = { value: T } | { faults: string[] };

/** Each fault reads `field: what is wrong with it`; `whole` names the value itself. */
export function parse<T>(schema: Schema<T>, value: unknown, whole: string): Parsed<T> {
  const result = z.safeParse(schema, value);
  return result.success
    ? { value: result.data }
    : { faults: result.error.issues.flatMap((issue) => read(issue, whole)) };
}

function read(issue: Issue, whole: string): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${[...issue.path, key].join('.')}: is not a known field`);
  }
  return [`${issue.path.join('.') || whole}: ${issue.message}`];
}
