/** What EventBridge delivers, and what becomes of it: a hint to look, never a fact. */
import * as z from 'zod/mini';
import { MalformedEvent } from '../../runtime/errors';
import { parse } from '../../runtime/parse';

/** https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export const ENVELOPE = z.object({
  id: z.string(),
  source: z.string(),
  'detail-type': z.string(),
  time: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)), 'must be a date')),
  resources: z._default(z.array(z.string()), []),
  detail: z.record(z.string(), z.unknown()),
});
export type Envelope = z.infer<typeof ENVELOPE>;

export interface Hint {
  /** For the log. */
  what: string;
  /** The instances it is about; empty: no one in particular. */
  instanceIds: string[];
  /** Nothing has happened: it is time to look. */
  routine: boolean;
  /** When it happened, epoch ms. */
  at: number;
}

/** One type of event. */
export interface Parser {
  source: string;
  detailType: string;
  /** @throws MalformedEvent, naming the field */
  read(event: Envelope): Hint;
}

/** A parser whose `detail` has this shape. */
export function parser<T>(
  source: string,
  detailType: string,
  detail: z.ZodMiniType<T>,
  read: (detail: T, event: Envelope) => Pick<Hint, 'what' | 'instanceIds'> & { routine?: boolean },
): Parser {
  return {
    source,
    detailType,
    read: (event) => ({
      routine: false,
      at: Date.parse(event.time),
      ...read(checked(detail, event.detail, detailType, 'detail'), event),
    }),
  };
}

/** @throws MalformedEvent, naming every field at fault */
export function checked<T>(schema: z.ZodMiniType<T>, value: unknown, what: string, whole: string): T {
  const parsed = parse(schema, value, whole);
  if ('faults' in parsed) throw new MalformedEvent(`${what}: ${parsed.faults.join('; ')}`);
  return parsed.value;
}

/** Instance ids among ARNs and ids. */
export function instancesIn(names: string[]): string[] {
  return [...new Set(names.flatMap((name) => /(?:^|instance\/)(i-[0-9a-f]{8,17})$/.exec(name)?.[1] ?? []))];
}
