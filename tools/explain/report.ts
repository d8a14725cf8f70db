/** An explanation as a person reads it, at three in the morning. */
import { TODO } from '../../functions/cluster/concern';
import { serverName } from '../../functions/cluster/names';
import {
  API_TARGET_UNHEALTHY,
  NODE_NOT_READY,
  STATUS_CHECK_IMPAIRED,
  STOPPED,
} from '../../functions/cluster/suspicion';
import { wrap } from '../text';
import type { Explanation, ServerExplanation } from './explanation';
import { time, type WhatIf } from './what-if';

/** Who says it. */
const WITNESS: Record<string, string> = {
  [API_TARGET_UNHEALTHY]: 'load balancer',
  [NODE_NOT_READY]: 'Kubernetes',
  [STATUS_CHECK_IMPAIRED]: 'EC2',
  [STOPPED]: 'EC2',
};

/**
 * @param where the AWS that was asked, for people
 * @param width in columns; only longer lines are broken
 */
export function report(cluster: string, where: string, explanation: Explanation, width: number): string {
  const { at, verdict, servers, blind } = explanation;
  const lines = [
    `cluster ${cluster}: ${headline(explanation)}`,
    `  ${verdict.reason}`,
    '',
    ...serverLines(servers, at),
    '',
    ...pairs([
      ['the healer', healer(explanation)],
      ['lease', lease(explanation)],
      ['replacements', replacements(explanation)],
      ...(verdict.concern && !explanation.lease?.running ? [['you', TODO[verdict.concern.code]] as const] : []),
      ...blind.map((read) => ['not seen', read] as const),
    ]),
    '',
    ...explanation.whatIfs.map((answer) => `  ${whatIf(answer)}`),
    '',
    `  ${where}, ${new Date(at).toISOString().slice(0, 19)}Z. Nothing was changed: the servers were asked by ReportStatus, which only reads.`,
  ];
  return lines.map((line) => wrap(line, width, ' '.repeat(CONTINUED))).join('\n');
}

/** Columns of the names on the left. */
const NAMES = 13;
/** Where the second line of a long text begins: under the text, not under its name. */
const CONTINUED = NAMES + 3;

function headline({ verdict, lease, paused, mayHeal, whole }: Explanation): string {
  const suffix = paused ? ' (healing is paused)' : '';
  if (whole) return `healthy, nothing to do${suffix}`;
  if (lease?.running) return `an execution is at work${suffix}`;
  switch (verdict.action) {
    case 'none':
      return `in service, but somebody should look${suffix}`;
    case 'watch':
      return `degraded, no action now: it looks again in ${verdict.recheckAfterSeconds} s${suffix}`;
    case 'converge':
      return mayHeal.allowed ? 'degraded, to be repaired now' : `incomplete, and nothing is done: ${mayHeal.reason}`;
    case 'refuse':
      return `nothing is done, a person must look${suffix}`;
  }
}

/** What the minute check would do with what it sees. */
function healer({ triage, verdict }: Explanation): string {
  if (triage.decision === 'start') {
    const outcome = verdict.action === 'converge' ? 'which would carry that out' : 'which would look closer';
    return `would start an execution, ${outcome}: ${triage.reason}`;
  }
  if (triage.decision === 'defer') return `starts nothing while healing is paused, and tells you: ${triage.reason}`;
  return `starts nothing: ${triage.reason}`;
}

function lease({ lease, at }: Explanation): string {
  if (!lease) return 'free: no execution is at work';
  const name = lease.execution.split(':').at(-1);
  const age = duration(at - lease.since);
  return lease.running
    ? `held by execution ${name} since ${time(lease.since)} (${age}): nobody else acts while it runs`
    : `left behind by execution ${name}, which has ended: the next one takes it over`;
}

function replacements({ replacements: { lastHour, left, limit } }: Explanation): string {
  return `${lastHour} in the last hour, ${left} of ${limit} left`;
}

function serverLines(servers: ServerExplanation[], at: number): string[] {
  if (servers.length === 0) return ['  no server exists'];
  const rows = servers.map((server) => [
    serverName(server.slot),
    server.instanceId,
    server.availabilityZone ?? '',
    server.state,
    node(server),
    server.etcdVoter ? 'voter' : 'no voter',
    targets(server),
  ]);
  const lines = align(rows);
  return servers.flatMap((server, index) => [lines[index] ?? '', ...against(server, at)]);
}

function node({ node, answered }: ServerExplanation): string {
  if (!node) return answered ? 'no Node' : 'Node not seen';
  if (node.ready === 'True') return 'Ready';
  return node.ready === 'False' ? 'NotReady' : 'Ready unknown';
}

function targets({ targets }: ServerExplanation): string {
  const groups = Object.entries(targets);
  const [first] = groups;
  if (first && groups.every(([, health]) => health === first[1])) return `targets ${first[1]}`;
  return `targets ${groups.map(([group, health]) => `${group} ${health}`).join(', ')}`;
}

/** What speaks against a server: who says it, since when, and how long until it is replaced. */
function against({ signals, agent, state }: ServerExplanation, at: number): string[] {
  const lines = signals.present.map((signal) => `${WITNESS[signal] ?? 'somebody'}: ${signal}`);
  if (signals.since !== null && lines.length > 0) {
    const lasted = duration(at - signals.since);
    const left = signals.dueAt === null ? null : signals.dueAt - at;
    const then =
      left === null
        ? 'one signal of two: never enough by itself'
        : left > 0
          ? `replaced in ${duration(left)} if that lasts`
          : 'that is long enough';
    lines.push(`since ${time(signals.since)} (${lasted}); ${then}`);
  }
  if (agent === 'lost' && state === 'running') lines.push('SSM: agent lost, which alone is no reason to replace it');
  if (signals.unseen.length > 0) lines.push(`could not be looked at: ${signals.unseen.join(', ')}`);
  return lines.map((text) => `            ${text}`);
}

function whatIf({ condition, verdict }: WhatIf): string {
  switch (verdict.action) {
    case 'converge':
      return `if ${condition} → it would ${verdict.reason}`;
    case 'refuse':
      return `if ${condition} → it would NOT act: ${verdict.reason}`;
    default:
      return `if ${condition} → it would wait: ${verdict.reason}`;
  }
}

const duration = (ms: number) => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
};

function pairs(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([name, text]) => `  ${name.padEnd(NAMES)} ${text}`);
}

function align(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
