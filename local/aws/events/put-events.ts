/** PutEvents: events of the user's own. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
import { z } from 'zod';
import { arnOf } from '../arn';
import type { Need } from '../iam/need';
import type { World } from '../service';

const ENTRY = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).default([]),
  Time: z.union([z.number().transform((seconds) => new Date(seconds * 1000)), z.date()]).optional(),
  EventBusName: z.string().default('default'),
});
export const PUT_EVENTS = z.strictObject({ Entries: z.array(ENTRY).min(1).max(10) });
export type Entry = z.infer<typeof ENTRY>;

/** Bytes of all entries of a request (EventBridge quotas). */
export const REQUEST_LIMIT = 256 * 1024;

export const entrySize = ({ Source, DetailType, Detail, Resources, Time }: Entry): number =>
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), Time ? 14 : 0);

/** Each entry by itself. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html */
export const putEventsNeeds = (world: World, entries: readonly Entry[]): Need[] =>
  entries.map(({ Source, DetailType, EventBusName }) => ({
    action: 'events:PutEvents',
    resource: EventBusName.startsWith('arn:') ? EventBusName : arnOf(world, 'events', `event-bus/${EventBusName}`),
    context: {
      ...(Source === undefined ? {} : { 'events:source': Source }),
      ...(DetailType === undefined ? {} : { 'events:detail-type': DetailType }),
    },
  }));

export interface Refusal {
  ErrorCode: string;
  ErrorMessage: string;
}

export type Accepted = Entry & { Source: string; DetailType: string; parsed: Record<string, unknown> };

/** What of an entry travels on, or why it is refused; the other entries of the request are not affected. */
export function accept(entry: Entry): Accepted | Refusal {
  const { Source, DetailType, Detail, EventBusName } = entry;
  const argument = (name: string) => ({
    ErrorCode: 'InvalidArgument',
    ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
  });
  if (!Source) return argument('Source');
  if (!DetailType) return argument('DetailType');
  if (!Detail) return argument('Detail');
  if (Source.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  if (EventBusName !== 'default' && !EventBusName.endsWith(':event-bus/default'))
    return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${EventBusName} does not exist.` };
  const parsed = parseDetail(Detail);
  if (!parsed) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return { ...entry, Source, DetailType, parsed };
}

function parseDetail(text: string): Record<string, unknown> | undefined {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
