/** What the servers' reports say, put together: the cluster as its own API describes it. */
import type * as z from 'zod/mini';
import type { ClusterView, EtcdMember, ServerReport } from '../cluster/observation';
import type { SCRIPT_OUTPUT } from '../contracts';

type Printed = z.infer<(typeof SCRIPT_OUTPUT)['ReportStatus']>;

/** The report as the domain knows it. */
export function readReport(output: Printed): ServerReport {
  const { dbInfo, ...report } = output;
  return { ...report, members: dbInfo?.members.map(readMember) ?? null };
}

/** K3s answers `/db/info` with etcd's own member list: a member that was added and never started has no name yet. */
function readMember({
  name = '',
  peerURLs,
  isLearner = false,
}: NonNullable<Printed['dbInfo']>['members'][number]): EtcdMember {
  const [peer = ''] = peerURLs;
  return { name, address: URL.canParse(peer) ? new URL(peer).hostname : '', learner: isLearner };
}

/**
 * The view on which most healthy reporters agree; null when none is healthy. A server whose etcd has lost its quorum, or
 * whose API is not ready, may still answer with what it remembers: it is no reporter.
 * @param reports by instance id
 */
export function chooseView(reports: ReadonlyMap<string, ServerReport>): ClusterView | null {
  const views = new Map<string, ClusterView>();
  for (const [instanceId, { etcdHealthy, apiReady, members, nodes }] of [...reports].sort(byId)) {
    if (etcdHealthy !== true || !apiReady || !members || !nodes) continue;
    const key = fingerprint(members, nodes);
    const known = views.get(key);
    if (known) known.reporters.push(instanceId);
    else views.set(key, { reporters: [instanceId], members, nodes });
  }
  let best: ClusterView | null = null;
  for (const view of views.values()) if (!best || view.reporters.length > best.reporters.length) best = view;
  return best;
}

const byId = ([a]: [string, unknown], [b]: [string, unknown]) => a.localeCompare(b);

/** Who belongs to it. Conditions of Nodes change from second to second and are no disagreement. */
function fingerprint(members: EtcdMember[], nodes: { name: string }[]): string {
  const belonging = [
    members.map(({ name, address, learner }) => `${name} ${address} ${learner}`),
    nodes.map(({ name }) => name),
  ];
  return JSON.stringify(belonging.map((names) => names.sort()));
}
