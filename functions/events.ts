/**
 * The events that the cluster publishes on the account's default event bus, for anybody who wants to react to them:
 * source `k3s.cluster`, one detail-type per kind, and this detail. Fields may be added; none changes its meaning.
 * Delivery is at least once and unordered: use `incident` to tell a repetition from something new.
 */
import * as z from 'zod/mini';
import { INSTANCE_ID, SLOT } from './contracts';

export const SOURCE = 'k3s.cluster';

/** Epoch ms. */
const TIME = z.number();
const SECONDS = z.int().check(z.minimum(0));

const COMMON = {
  cluster: z.string(),
  /** The same incident has the same id, however often it is told; another one has another. */
  incident: z.string().check(z.minLength(1)),
  /** What is the case, for people. */
  reason: z.string(),
  /** What was decided because of it, for people. */
  decision: z.string(),
  /** What a person must do: "nothing", or exactly this. */
  todo: z.string(),
  /** Healing is paused. */
  paused: z.boolean(),
  /** ARN of the execution that says so; null when none does. */
  execution: z.nullable(z.string()),
  at: TIME,
};
const SERVER = { slot: SLOT, instanceId: INSTANCE_ID };
const MAYBE_SERVER = { slot: z.optional(SLOT), instanceId: z.optional(INSTANCE_ID) };

/** How long a replacement took, stage by stage; stages of an earlier execution are part of the one before them. */
export const STAGES = z.object({
  /** From the first sign to the decision: for a machine that hangs, this includes the dwell time. */
  detect: SECONDS,
  /** Until the new instance ran. */
  launch: SECONDS,
  /** Until it was an etcd voter: fencing the old one, removing its member and joining. */
  join: SECONDS,
  /** Until it received all traffic. */
  inService: SECONDS,
  total: SECONDS,
});
export type Stages = z.infer<typeof STAGES>;

/** Details by detail-type. */
export const DETAILS = {
  /** A signal speaks against a server. Nothing is decided yet. */
  'Node Suspected': z.object({ ...COMMON, ...SERVER, since: TIME, signals: z.array(z.string()) }),
  /** A server is going to be replaced. */
  'Replacement Started': z.object({ ...COMMON, ...SERVER, since: TIME }),
  /** A server is to be replaced, and must not be now. */
  'Replacement Deferred': z.object({ ...COMMON, ...MAYBE_SERVER }),
  /** The successor is a voter and receives traffic. */
  'Node Replaced': z.object({
    ...COMMON,
    ...SERVER,
    newInstanceId: INSTANCE_ID,
    since: TIME,
    seconds: STAGES,
  }),
  /** Every server is in service: after the creation, after trouble, or after a repair that replaced nothing. */
  'Cluster Ready': z.object({ ...COMMON, servers: z.int() }),
  /** Something is wrong that no replacement mends. */
  'Cluster Degraded': z.object({ ...COMMON, ...MAYBE_SERVER }),
  /** An execution failed. */
  'Converge Failed': z.object({ ...COMMON, stage: z.string(), error: z.string() }),
} as const;

export type DetailType = keyof typeof DETAILS;
export type Detail<T extends DetailType> = z.infer<(typeof DETAILS)[T]>;

/** One event, before EventBridge puts it into its envelope. */
export type ClusterEvent = { [T in DetailType]: { detailType: T; detail: Detail<T> } }[DetailType];

/** As it arrives at a target, with what EventBridge adds. */
export const EVENT = z.discriminatedUnion('detail-type', [
  envelope('Node Suspected'),
  envelope('Replacement Started'),
  envelope('Replacement Deferred'),
  envelope('Node Replaced'),
  envelope('Cluster Ready'),
  envelope('Cluster Degraded'),
  envelope('Converge Failed'),
]);

export type DeliveredEvent = z.infer<typeof EVENT>;

function envelope<T extends DetailType>(detailType: T) {
  return z.object({ source: z.literal(SOURCE), 'detail-type': z.literal(detailType), detail: DETAILS[detailType] });
}
