import type { Observation, ObservedInstance } from '../../../functions/cluster/observation';

const COLUMNS = ['slot', 'instance', 'EC2', 'check', 'agent', 'http/https/api', 'says', 'Node', 'etcd', 'suspected'];

/** An observation as a person reads it: one line per server, and one per thing that belongs to none. */
export function tableOf(observation: Observation): string {
  const { at, cluster, instances, view, blind } = observation;
  const known = new Set(instances.map(({ instanceId }) => instanceId));
  const strays = (view?.nodes ?? []).filter(({ name }) => !known.has(name)).map(({ name }) => `Node ${name}`);
  const members = (view?.members ?? []).filter(({ name }) => !known.has(ownerOf(name)));
  const rows = [COLUMNS, ...instances.map((instance) => row(observation, instance))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const left = observation.slots.flatMap(({ departures }) => departures);
  const recent = left.map((departure) => `${Math.round((at - departure.at) / 60_000)} min`).join(', ');
  return [
    '',
    `${cluster.desired}, ${cluster.phase.name}${cluster.paused ? ', paused' : ''}, ${observation.slots.length} slots`,
    ...lines.map((line) => line.trimEnd()),
    view ? `told by ${view.reporters.join(', ') || 'nobody'}` : 'nobody describes the cluster',
    ...(strays.length + members.length > 0
      ? [
          `of no instance: ${[...strays, ...members.map(({ name, address }) => `member ${name || address}`)].join(', ')}`,
        ]
      : []),
    ...(recent ? [`replacements ${recent} ago`] : []),
    ...(blind.length > 0 ? [`not seen: ${blind.join(', ')}`] : []),
    '',
  ].join('\n');
}

function row({ at, view, slots }: Observation, instance: ObservedInstance): string[] {
  const { instanceId, slot, state, statusCheck, agent, targets, report, inventoried, launchedAt } = instance;
  const node = view?.nodes.find(({ name }) => name === instanceId);
  const member = view?.members.find(({ name }) => ownerOf(name) === instanceId);
  const suspicion = slots[slot]?.suspicion;
  const age = launchedAt === null ? 'age unknown' : `${Math.round((at - launchedAt) / 1000)} s old`;
  const said = report && `${report.k3s}${report.etcdHealthy === true && report.apiReady ? ', healthy' : ''}`;
  return [
    String(slot),
    `${instanceId}${inventoried ? '' : ' (unrecorded)'}, ${age}`,
    state,
    statusCheck,
    agent,
    `${targets.http}/${targets.https}/${targets.api}`,
    said ?? 'nothing',
    node ? `${node.ready === 'True' ? 'Ready' : `Ready=${node.ready}`}${node.deleting ? ', deleting' : ''}` : '-',
    member ? (member.learner ? 'learner' : 'voter') : '-',
    suspicion?.instanceId === instanceId
      ? `${suspicion.signals.join(' + ')} for ${Math.round((at - suspicion.since) / 1000)} s`
      : '-',
  ];
}

function ownerOf(memberName: string): string {
  return memberName.slice(0, memberName.lastIndexOf('-'));
}
