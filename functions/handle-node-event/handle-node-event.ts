/** Takes every event for a hint, looks for itself, and starts the workflow when that is worth while. Never acts itself. */
import type * as z from 'zod/mini';
import type { Bus } from '../aws/bus';
import type { Executions } from '../aws/executions';
import type { Remembered } from '../aws/glance';
import type { Healer } from '../aws/healer';
import { incidentOf, TODO } from '../cluster/concern';
import { serverName } from '../cluster/names';
import type { Observation } from '../cluster/observation';
import { excuse, type Holder, type Triage, triage } from '../cluster/triage';
import type { Logger } from '../runtime/log';
import type { Output } from './contract';
import { type Hint, readEvent } from './events';

export interface Deps {
  cluster: string;
  /** ARN of the cluster workflow. */
  stateMachine: string;
  /** One call. */
  remember(): Promise<Remembered>;
  /** A look at EC2 and the load balancer; `routine`: at no more than the minute check needs. */
  glance(remembered: Known, at: number, routine: boolean): Promise<Observation>;
  executions: Pick<Executions, 'isRunning' | 'start'>;
  healer: Pick<Healer, 'noteAttempt' | 'noteRefusal'>;
  bus: Pick<Bus, 'publish'>;
  now(): number;
}

const LATE_MS = 300_000;

/** There is a record of a cluster. */
type Known = Remembered & { cluster: NonNullable<Remembered['cluster']> };
type Answer = z.infer<typeof Output>;

/** @throws MalformedEvent: the message names the field */
export async function handleNodeEvent(payload: unknown, deps: Deps, log: Logger): Promise<Answer> {
  const hint = readEvent(payload);
  if (typeof hint === 'string') {
    log.info('ignored event', { reason: hint });
    return nothing(hint);
  }
  const at = deps.now();
  const remembered = await deps.remember();
  const { slots, cluster } = remembered;
  if (!cluster) return nothing('nobody has created this cluster yet');
  if (!isOurs(hint, slots)) {
    log.info('ignored event', { hint: hint.what, reason: 'not a server of this cluster' });
    return nothing(`${hint.what}, and is not a server of this cluster`);
  }
  const judged = await judge({ ...remembered, cluster }, hint, at, deps);
  const { decision, code, reason } = judged;
  log.info('decided', { hint: hint.what, decision, code, reason });
  const execution = await act(judged, hint, at, deps, log);
  return { decision, reason, execution };
}

/** By the inventory: tags may be gone already. An event that names nobody may be about anybody. */
function isOurs({ instanceIds }: Hint, slots: Remembered['slots']): boolean {
  if (instanceIds.length === 0) return true;
  const inventory = new Set(slots.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId)));
  return instanceIds.some((instanceId) => inventory.has(instanceId));
}

/** Looks only when what it would see could matter. */
async function judge(remembered: Known, { routine }: Hint, at: number, deps: Deps): Promise<Triage> {
  const { cluster, lease, healing } = remembered;
  const holder: Holder = lease ? ((await deps.executions.isRunning(lease.holder)) ? 'running' : 'ended') : 'none';
  return excuse(cluster, holder) ?? triage(await deps.glance(remembered, at, routine), healing, holder);
}

async function act(judged: Triage, hint: Hint, at: number, deps: Deps, log: Logger): Promise<string | null> {
  const { decision, slot, reason, signature } = judged;
  if (decision === 'none') return null;
  await deps.healer.noteAttempt({ signature, at, noticedAt: noticedAt(hint, at) });
  if (decision === 'defer') {
    await defer(judged, at, deps);
    return null;
  }
  const name = `repair-${slot === null ? 'cluster' : serverName(slot)}-${timestamp(at)}`;
  log.info('starting execution', { name, reason });
  const execution = await deps.executions.start(deps.stateMachine, name, { origin: 'healer', reason });
  log.info(execution ? 'started execution' : 'execution was started before', { name, execution });
  return execution;
}

/** An event that arrives long after it happened tells of something else than what is wrong now. */
function noticedAt(hint: Hint, at: number): number {
  return hint.at > at || at - hint.at > LATE_MS ? at : hint.at;
}

/** A pause that somebody forgot must not go unnoticed when a server dies. */
async function defer({ slot, instanceId, reason }: Triage, at: number, deps: Deps): Promise<void> {
  const incident = incidentOf({ code: 'paused', slot, instanceId });
  await deps.healer.noteRefusal({ incident, at });
  await deps.bus.publish([
    {
      detailType: 'Replacement Deferred',
      detail: {
        cluster: deps.cluster,
        ...(slot === null ? {} : { slot }),
        ...(instanceId === null ? {} : { instanceId }),
        incident,
        reason,
        decision: 'healing is paused: nothing is started',
        todo: TODO.paused,
        paused: true,
        execution: null,
        at,
      },
    },
  ]);
}

/** `20261122T140212Z`: as precise as a name has to be, because two within a second have the same cause. */
function timestamp(at: number): string {
  return `${new Date(at).toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
}

function nothing(reason: string): Answer {
  return { decision: 'none', reason, execution: null };
}
