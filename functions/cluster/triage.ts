/**
 * Whether a cheap look calls for a workflow. The workflow looks again, asks the servers and decides by `assess`; here it
 * is only decided whether that is worth while. Planner, judgement and signals are the very same.
 */
import { labels } from './judgement';
import { DEFAULT_LIMITS, type Limits } from './limits';
import { label, serverName } from './names';
import type { ClusterRecord, Observation } from './observation';
import { draft } from './planner';
import { isGone, type Server } from './readiness';
import { signalsAgainst } from './suspicion';
import { mayHeal } from './verdict';

/** What was found wrong when an execution was started. */
export interface Attempt {
  signature: string;
  /** Epoch ms. */
  at: number;
  /** When the trouble was first told of, epoch ms: the time of the event. */
  noticedAt: number;
}

/** How an execution ended that did not leave a whole cluster. */
export interface Refusal {
  incident: string;
  /** Epoch ms. */
  at: number;
}

/** What the healer remembers between two looks. */
export interface Healing {
  attempt: Attempt | null;
  refusal: Refusal | null;
  /** The incarnation whose creation was told. */
  announced: string | null;
}

/** Of the execution that holds the lease. `ended` without releasing it: it was stopped half-way. */
export type Holder = 'none' | 'running' | 'ended';

export interface Triage {
  /** `defer`: something is to be done and a person has paused healing; they are told. */
  decision: 'none' | 'start' | 'defer';
  /** One word for statistics. */
  code: 'whole' | 'not-wanted' | 'busy' | 'blind' | 'refused-before' | 'recovered' | 'trouble' | 'paused';
  reason: string;
  /** The first server that it is about. */
  slot: number | null;
  instanceId: string | null;
  /** The same while the same is wrong: without times and counts. */
  signature: string;
}

/** After a refusal the same trouble is tried again only after this time. */
const RETRY_SECONDS = 600;
/** The workflow's input has room for 500 characters. */
const REASON_LENGTH = 400;

interface Finding {
  slot: number | null;
  instanceId: string | null;
  /** What is wrong, for the signature. */
  what: string;
  /** For people. */
  reason: string;
}

/** Nothing to look for: nobody wants to be healed, or somebody is at it. Null: look. */
export function excuse(cluster: ClusterRecord, holder: Holder): Triage | null {
  const permission = mayHeal({ ...cluster, paused: false });
  if (!permission.allowed) return none('not-wanted', permission.reason);
  return holder === 'running' ? none('busy', 'an execution is at work: it sees for itself') : null;
}

/** Decides. Pure: the time is the observation's. */
export function triage(
  observation: Observation,
  healing: Healing,
  holder: Holder,
  limits: Limits = DEFAULT_LIMITS,
): Triage {
  const { cluster, instances } = observation;
  const excused = excuse(cluster, holder);
  if (excused) return excused;
  if (instances.length > 0 && instances.every(({ state }) => state === 'unknown')) {
    return none('blind', `nothing could be observed: ${observation.blind.join(', ') || 'no answer'}`);
  }
  const findings = examine(observation, holder, limits);
  const [first] = findings;
  const trouble = findings.map(({ reason }) => reason).join('; ');
  const found = {
    slot: first?.slot ?? null,
    instanceId: first?.instanceId ?? null,
    signature: [
      ...(cluster.paused ? ['paused'] : []),
      ...findings.map(({ slot, instanceId, what }) => `${instanceId ?? slot ?? ''} ${what}`.trim()).sort(),
    ].join('; '),
  };
  if (isRefusedBefore(healing, found.signature, observation.at)) {
    const since = new Date(healing.refusal?.at ?? observation.at).toISOString();
    return none(
      'refused-before',
      `${trouble || 'nothing is wrong any more'}; refused at ${since}, nothing has changed`,
    );
  }
  if (cluster.paused) {
    if (!first) return none('whole', 'nothing is wrong; healing is paused');
    return { decision: 'defer', code: 'paused', reason: shorten(trouble), ...found };
  }
  if (first) return { decision: 'start', code: 'trouble', reason: shorten(trouble), ...found };
  if (healing.refusal) {
    const reason = `nothing is wrong any more: confirm that ${healing.refusal.incident} is over`;
    return { decision: 'start', code: 'recovered', reason, ...found };
  }
  return none('whole', `${instances.filter((instance) => !isGone(instance)).length} servers and nothing against them`);
}

function isRefusedBefore({ attempt, refusal }: Healing, signature: string, at: number): boolean {
  return (
    attempt !== null &&
    refusal !== null &&
    attempt.signature === signature &&
    refusal.at >= attempt.at &&
    at - refusal.at < RETRY_SECONDS * 1000
  );
}

/** Everything that only a workflow can mend, or judge. What could not be seen is nothing to find (safety rule 6). */
function examine(observation: Observation, holder: Holder, limits: Limits): Finding[] {
  const findings: Finding[] = [];
  const { judgement, plan } = draft(observation, null, limits);
  const signals = (server: Server) => signalsAgainst(observation, server).present.join();
  for (const { slot, instanceId, kind, reason } of judgement.retire) {
    // The same whether or not its dwell is over: that comes and goes with the looks, and is decided by the workflow.
    const sick = kind === 'sick' && judgement.servers.find((server) => server.instanceId === instanceId);
    findings.push(about({ slot, instanceId }, sick ? signals(sick) : kind, reason));
  }
  for (const { server, reason } of judgement.pending) findings.push(about(server, signals(server), reason));
  for (const { slot } of plan.launch) {
    findings.push({ slot, instanceId: null, what: 'missing', reason: `${serverName(slot)} has no instance` });
  }
  const present = judgement.servers.filter((server) => !isGone(server) && server.state !== 'unknown');
  for (const server of present) findings.push(...examineServer(server, findings));
  for (const { slot } of observation.slots) {
    const rivals = present.filter((server) => server.slot === slot);
    if (rivals.length < 2) continue;
    findings.push({ slot, instanceId: null, what: 'shared', reason: `${labels(rivals)} are in one slot` });
  }
  if (holder === 'ended') {
    const reason = 'an execution ended half-way and left its lease behind';
    findings.push({ slot: null, instanceId: null, what: 'half-way', reason });
  }
  return findings;
}

/** What concerns the workflow although it is no reason to replace the server. */
function examineServer(server: Server, found: Finding[]): Finding[] {
  if (found.some(({ instanceId }) => instanceId === server.instanceId)) return [];
  if (!server.inventoried) return [about(server, 'unrecorded', 'is not in the inventory')];
  if (server.state !== 'running') return [];
  const targets = Object.entries(server.targets);
  const absent = targets.filter(([, health]) => health === 'unregistered' || health === 'draining');
  if (absent.length > 0) return [about(server, 'unregistered', `is not registered with ${names(absent)}`)];
  const unhealthy = targets.filter(([, health]) => health === 'unhealthy');
  if (unhealthy.length > 0)
    return [about(server, 'unhealthy', `is unhealthy for the load balancer: ${names(unhealthy)}`)];
  if (server.agent === 'lost') return [about(server, 'agent lost', 'has lost its SSM agent')];
  return [];
}

const names = (targets: [string, unknown][]) => targets.map(([group]) => group).join(', ');

function about(server: { slot: number; instanceId: string }, what: string, reason: string): Finding {
  const { slot, instanceId } = server;
  return { slot, instanceId, what, reason: `${label(server)} ${reason}` };
}

function none(code: Triage['code'], reason: string): Triage {
  return { decision: 'none', code, reason, slot: null, instanceId: null, signature: '' };
}

function shorten(text: string): string {
  return text.length > REASON_LENGTH ? `${text.slice(0, REASON_LENGTH - 1)}…` : text;
}
