/** What the orchestrator sees of the truth: late, and not all of it. */
import type { ClusterRecord, Observation, SlotRecord } from '../../../../functions/cluster/observation';
import { CA_HASH, VERSION } from '../world';
import { answers, type Machine, type Truth } from './truth';

/** A kind of reads that fails. */
export type Unseen = 'instances' | 'targets' | 'status checks' | 'reports';

export interface Memory {
  cluster: ClusterRecord;
  slots: SlotRecord[];
}

/** There are three. */
export const zoneOf = (slot: number) => `eu-west-3${'abc'[slot % 3]}`;

/** A look at everything. */
export function observe(truth: Truth, memory: Memory, unseen: ReadonlySet<Unseen>): Observation {
  const recorded = new Set(memory.slots.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId)));
  const known = truth.machines.filter(({ power, id }) => power !== 'terminated' || recorded.has(id));
  const instances = known.map((machine) => ({
    instanceId: machine.id,
    slot: machine.slot,
    generation: machine.generation,
    inventoried: recorded.has(machine.id),
    state: unseen.has('instances') ? ('unknown' as const) : machine.power,
    availabilityZone: zoneOf(machine.slot),
    privateIp: machine.power === 'pending' ? null : machine.address,
    launchedAt: machine.launchedAt,
    statusCheck: unseen.has('status checks') ? ('unknown' as const) : truth.statusCheck(machine),
    agent: unseen.has('instances') ? ('unknown' as const) : truth.agent(machine),
    targets: targetsOf(truth, machine, unseen),
    report: unseen.has('instances') || unseen.has('reports') ? null : reportOf(truth, machine),
  }));
  const reporters = instances.filter(({ report }) => report?.etcdHealthy && report.apiReady);
  return {
    at: truth.now,
    cluster: structuredClone(memory.cluster),
    slots: structuredClone(memory.slots),
    instances,
    view:
      reporters.length === 0
        ? null
        : { reporters: reporters.map(({ instanceId }) => instanceId), members: members(truth), nodes: nodes(truth) },
    blind: [...unseen],
  };
}

/** The look of every minute: no server is asked, no Node and no status check is seen. */
export function glance(truth: Truth, memory: Memory, unseen: ReadonlySet<Unseen>): Observation {
  const { instances, ...rest } = observe(truth, memory, new Set([...unseen, 'reports', 'status checks']));
  return { ...rest, instances: instances.map((each) => ({ ...each, targets: { ...each.targets, https: 'unknown' } })) };
}

function targetsOf(truth: Truth, machine: Machine, unseen: ReadonlySet<Unseen>) {
  const health = unseen.has('targets') ? ('unknown' as const) : truth.target(machine);
  return { http: health, https: health, api: health };
}

function reportOf(truth: Truth, machine: Machine) {
  if (!answers(machine) || truth.agent(machine) !== 'online') return null;
  const works = truth.isVoter(machine) && truth.hasQuorum;
  const member = truth.isMember(machine);
  return {
    k3s: member ? ('active' as const) : machine.dud === 'preparing' ? machine.dud : ('inactive' as const),
    etcdHealthy: member ? works : null,
    apiReady: works,
    members: works ? members(truth) : null,
    nodes: works ? nodes(truth) : null,
    caHash: member ? CA_HASH : null,
    k3sVersion: member ? VERSION : null,
  };
}

function members(truth: Truth) {
  return truth.members.map(({ owner, learner }) => ({
    name: memberName(owner),
    address: truth.machine(owner)?.address ?? '',
    learner,
  }));
}

function nodes(truth: Truth) {
  return truth.nodes.map(({ name, deleting }) => ({
    name,
    ready: truth.ready(truth.machine(name)),
    voter: true,
    deleting,
    member: memberName(name),
    address: truth.machine(name)?.address ?? null,
  }));
}

const memberName = (owner: string) => `${owner}-0123abcd`;
