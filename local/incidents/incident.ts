/** What can be made to go wrong, as a person or a test asks for it. */
import { z } from 'zod';

/** An incident that cannot happen as asked for. */
export class IncidentRefused extends Error {
  override readonly name = 'IncidentRefused';

  constructor(
    /** 400: it makes no sense. 404: its target does not exist. 409: its target is in no state for it. */
    readonly status: 400 | 404 | 409,
    message: string,
    /** What is wrong with which field. */
    readonly faults: readonly { field: string; message: string }[] = [],
  ) {
    super(message);
  }
}

const must = (what: string) => ({
  error: ({ input }: { input?: unknown }) =>
    input === undefined ? `is required: must be ${what}` : `must be ${what}, is ${JSON.stringify(input)}`,
});
const SLOT = z.int(must('the number of a slot')).min(0, must('the number of a slot'));
const INSTANCE = z
  .string(must('an instance id'))
  .regex(/^i-[0-9a-f]{8,17}$/, must('an instance id such as "i-0123456789abcdef0"'));
const ZONE = z.string(must('the name of an availability zone'));
const SERVICE = z.string(must('the name of a service, or "*" for every one'));
const FACTOR = z.number(must('a number above 1')).gt(1, must('a number above 1')).max(1000, must('at most 1000'));

/** Refused unless exactly one of two fields is there. */
const oneOf =
  <Key extends string>(first: Key, second: Key) =>
  (value: { [key in Key]?: unknown }, context: z.RefinementCtx) => {
    if ((value[first] === undefined) !== (value[second] === undefined)) return;
    const message = value[first] === undefined ? `is required, or ${second}` : `cannot go with ${second}: give one`;
    context.addIssue({ code: 'custom', path: [first], message });
  };

const ofServer = <const Kind extends string>(kind: Kind) =>
  z
    .strictObject({ kind: z.literal(kind), instanceId: INSTANCE.optional(), slot: SLOT.optional() })
    .superRefine(oneOf('instanceId', 'slot'));

const KINDS = [
  ofServer('terminate'),
  ofServer('stop'),
  ofServer('hang'),
  ofServer('k3s-crash'),
  ofServer('agent-lost'),
  z.strictObject({ kind: z.literal('partition'), availabilityZone: ZONE }),
  z
    .strictObject({ kind: z.literal('never-boots'), slot: SLOT.optional(), availabilityZone: ZONE.optional() })
    .superRefine(oneOf('slot', 'availabilityZone')),
  z.strictObject({ kind: z.literal('slow'), service: SERVICE.default('*'), factor: FACTOR.default(10) }),
  z.strictObject({ kind: z.literal('throttle'), service: SERVICE }),
] as const;

const NAMES = KINDS.map(({ shape }) => shape.kind.value);

/**
 * - `terminate`, `stop`: EC2 does it to the server, beside everything that goes on.
 * - `hang`: the kernel hangs; EC2 says running and nothing on the machine answers.
 * - `k3s-crash`: K3s is killed whenever systemd has started it; its containers run on.
 * - `agent-lost`: the SSM agent dies; the server is well.
 * - `partition`: no packet enters or leaves the zone.
 * - `never-boots`: the kernels of instances that are launched from now on, in the slot or in the zone, do not come up.
 * - `slow`: what the service does takes `factor` times as long.
 * - `throttle`: every call of the service's API is throttled.
 */
export const INCIDENT = z.discriminatedUnion('kind', KINDS, {
  error: ({ input }) =>
    typeof input === 'object' && input !== null && !Array.isArray(input)
      ? `must be one of ${NAMES.join(', ')}`
      : 'must be an object',
});
/** As it is asked for: what has a default may be left out. */
export type IncidentRequest = z.input<typeof INCIDENT>;
export type Incident = z.output<typeof INCIDENT>;

/** @throws IncidentRefused (400) naming every field that is wrong */
export function parseIncident(input: unknown): Incident {
  const parsed = INCIDENT.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => {
    const field = issue.path.map(String).join('.');
    if (issue.code !== 'unrecognized_keys') return [{ field, message: issue.message }];
    return issue.keys.map((key) => ({ field: key, message: 'is not a field of this kind of fault' }));
  });
  const sentence = faults.map(({ field, message }) => `${field || 'the fault'} ${message}`).join('; ');
  throw new IncidentRefused(400, sentence, faults);
}
