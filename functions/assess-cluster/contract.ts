import * as z from 'zod/mini';
import { CONCERN_CODES } from '../cluster/concern';
import { RETIREMENT_KINDS } from '../cluster/judgement';
import {
  ADDRESS,
  ENV,
  ENV_SERVERS,
  ENV_TARGET_GROUPS,
  EXECUTION,
  GENERATION,
  INSTANCE_ID,
  MANIFESTS_SHA256,
  SLOT,
} from '../contracts';

export const Input = z.strictObject({
  execution: EXECUTION,
  /** The manifests of this deployment: the plan applies them unless the record says that they were applied. */
  manifests: MANIFESTS_SHA256,
  /** What this execution has applied successfully, to be recorded before observing; null when it has not. */
  applied: z.nullable(MANIFESTS_SHA256),
});

const SERVER = z.strictObject({ slot: SLOT, instanceId: INSTANCE_ID, privateIp: ADDRESS });

export const Plan = z.strictObject({
  /** Slots that need an instance, each with the newest generation that it had when the plan was made. */
  launch: z.array(z.strictObject({ slot: SLOT, after: GENERATION })),
  /** To be deregistered, fenced, removed and forgotten, in this order. */
  retire: z.array(
    z.strictObject({
      slot: SLOT,
      instanceId: INSTANCE_ID,
      kind: z.enum(RETIREMENT_KINDS),
      /** Its etcd peer address, to find a member that has no Node; empty when unknown. */
      address: z.string(),
      /** K3s knows it, so RemoveMember must run. */
      member: z.boolean(),
      reason: z.string(),
    }),
  ),
  /** Running instances that have not joined yet; newly launched ones are added by the workflow. */
  start: z.array(SERVER),
  /** No cluster exists: the first of `start` and the launched ones initialises it. */
  init: z.boolean(),
  /** The latch names this instance: no other may initialise. Null: the lowest slot does. */
  initInstanceId: z.nullable(INSTANCE_ID),
  /** A healthy server through which to join, remove and apply; null only when `init`. */
  peer: z.nullable(SERVER),
  caHash: z.nullable(z.string()),
  register: z.array(z.strictObject({ slot: SLOT, instanceId: INSTANCE_ID })),
  apply: z.boolean(),
});
export type Plan = z.infer<typeof Plan>;

/** What stands in the way, or deserves a look although all is well; its code says what a person must do. */
export const Concern = z.strictObject({
  code: z.enum(CONCERN_CODES),
  slot: z.nullable(SLOT),
  instanceId: z.nullable(INSTANCE_ID),
});

/** One server in an answer for people. */
export const ServerSummary = z.strictObject({
  slot: SLOT,
  instanceId: INSTANCE_ID,
  availabilityZone: z.nullable(z.string()),
  privateIp: z.nullable(z.string()),
  ready: z.boolean(),
  etcdVoter: z.boolean(),
  healthyTargets: z.int(),
});

export const Output = z.strictObject({
  verdict: z.enum(['converged', 'converge', 'watch', 'refuse']),
  reason: z.string(),
  /** With `watch`: when to look again. */
  recheckAfterSeconds: z.int(),
  plan: Plan,
  concern: z.nullable(Concern),
  servers: z.array(ServerSummary),
});
export const Env = z.object({
  ...ENV,
  SERVERS: ENV_SERVERS,
  TARGET_GROUPS: ENV_TARGET_GROUPS,
  DOCUMENT_PREFIX: z.string(),
  K3S_VERSION: z.string(),
});
export const errors = ['LeaseLost'] as const;
