/** Launches the next server of a slot: exactly one, however often and wherever the step dies. */
import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import { explain, isCapacity, isRefusal, isTokenSpent, isUnsupported } from '../aws/errors';
import type { Instances, Machine } from '../aws/instances';
import type { Leases } from '../aws/lease';
import type { Launching, SlotState, Slots } from '../aws/slots';
import { CapacityUnavailable, LaunchRefused, LeaseLost } from '../cluster/errors';
import { clientTokenInput, leaseHolder, serverName } from '../cluster/names';
import { zoneIndex } from '../cluster/slots';
import type { ExecutionRef } from '../contracts';
import type { Logger } from '../runtime/log';
import type { Input, Output } from './contract';

/** A generation whose client token is spent is given up for the next; twice in one call means that something is wrong. */
const GENERATIONS_PER_CALL = 2;

export interface Deps {
  /** Subnet of slot i is element i modulo their number. */
  subnets: string[];
  launchTemplate: string;
  launchTemplateVersion: string;
  /** Tried in order. */
  instanceTypes: string[];
  leases: Pick<Leases, 'require'>;
  records: Pick<ClusterRecords, 'read'>;
  slots: Pick<Slots, 'read' | 'beginLaunch' | 'changeLaunch' | 'completeLaunch'>;
  instances: Pick<Instances, 'launch' | 'byTag' | 'find' | 'zoneOf'>;
  now(): number;
}

type Answer = z.infer<typeof Output>;

/** What stays the same over the attempts of one call. */
interface Order {
  execution: ExecutionRef;
  slot: number;
  incarnation: string;
  subnetId: string;
}

/**
 * @throws LeaseLost
 * @throws CapacityUnavailable: no type of the list is to be had in the slot's zone now
 * @throws LaunchRefused: EC2 refuses for another reason; the message is EC2's
 */
export async function launchServer(
  { execution, slot, after }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<Answer> {
  const { leases, records, slots, subnets } = deps;
  await leases.require(execution);
  const record = await records.read();
  if (record?.desired !== 'present') throw new LaunchRefused('the cluster is not wanted: nothing is launched');
  const state = await slots.read(slot);
  const earlier = await launchedBefore(state, after, deps);
  if (earlier) return earlier;

  const subnetId = subnets[zoneIndex(slot, subnets.length)] ?? '';
  const order: Order = { execution, slot, incarnation: record.incarnation, subnetId };
  let unfinished = state.launching;
  for (let generations = 0; generations < GENERATIONS_PER_CALL; generations++) {
    const orphan = unfinished && (await orphanOf(slot, unfinished.generation, deps));
    const launching: Launching = unfinished ?? (await begin(order, deps));
    const machine = orphan ?? (await run(order, launching, deps, log));
    if (machine) return complete(order, launching.generation, machine, deps, log);
    log.warn('gave up generation: its client token is spent', { generation: launching.generation });
    unfinished = null;
  }
  throw new LaunchRefused(`the client tokens of ${GENERATIONS_PER_CALL} generations of ${serverName(slot)} are spent`);
}

/**
 * What this very order has launched already: its answer was lost, and this is a retry. A server that the plan knew of is
 * none, however young: the plan has given it up.
 */
async function launchedBefore(
  { slot, launching, instances }: SlotState,
  after: number,
  deps: Deps,
): Promise<Answer | null> {
  const newest = instances.at(-1);
  if (launching || !newest || newest.generation <= after) return null;
  const { instanceId, generation } = newest;
  const machine = await deps.instances.find(instanceId);
  if (machine && isEnding(machine)) return null;
  return { slot, instanceId, generation, instanceType: machine?.instanceType ?? '' };
}

/** Counts the generation and writes down what will be asked for, before EC2 is asked. */
async function begin({ slot, execution }: Order, { slots, instanceTypes }: Deps): Promise<Launching> {
  const [instanceType = ''] = instanceTypes;
  const { generation: former } = await slots.read(slot);
  const generation = former + 1;
  if (await slots.beginLaunch(slot, former, instanceType, execution)) return { generation, instanceType };
  // The write may have been ours all the same: its answer was lost and the SDK sent it again.
  const { launching, launchedBy } = await slots.read(slot);
  if (launching?.generation === generation && launchedBy === leaseHolder(execution)) return launching;
  throw new LeaseLost(`another execution launches ${serverName(slot)}`);
}

/** An instance of this very launch, of which the run that launched it could not tell any more. */
async function orphanOf(slot: number, generation: number, { instances }: Deps): Promise<Machine | null> {
  const machines = await instances.byTag();
  return (
    machines.find(
      (machine) => machine.tags?.slot === slot && machine.tags.generation === generation && !isEnding(machine),
    ) ?? null
  );
}

/** Null: the client token belongs to an instance that is gone. */
async function run(order: Order, launching: Launching, deps: Deps, log: Logger): Promise<Machine | null> {
  const { slot, incarnation, subnetId } = order;
  const { slots, instances, instanceTypes, launchTemplate, launchTemplateVersion } = deps;
  const { generation } = launching;
  // What was asked for last comes first: whether it was granted is not known, and the same request gives the answer.
  const first = Math.max(0, instanceTypes.indexOf(launching.instanceType));
  const refusals: string[] = [];
  for (const instanceType of [...instanceTypes.slice(first), ...instanceTypes.slice(0, first)]) {
    if (instanceType !== launching.instanceType || refusals.length > 0) {
      await slots.changeLaunch(slot, generation, instanceType);
    }
    const token = clientTokenInput({ incarnation, slot, generation, launchTemplateVersion, instanceType });
    const clientToken = createHash('sha256').update(token).digest('hex');
    log.info('launching server', { generation, instanceType, subnetId });
    try {
      const machine = await instances.launch({
        launchTemplate,
        launchTemplateVersion,
        subnetId,
        instanceType,
        clientToken,
        slot,
        generation,
      });
      return isEnding(machine) ? null : machine;
    } catch (error) {
      if (isTokenSpent(error)) return null;
      if (!isRefusal(error)) throw error;
      if (!isCapacity(error) && !isUnsupported(error)) {
        throw new LaunchRefused(`${serverName(slot)} (${instanceType}): ${explain(error)}`, { cause: error });
      }
      log.warn('launch found no capacity', { generation, instanceType, reason: explain(error) });
      refusals.push(`${instanceType} (${explain(error)})`);
    }
  }
  // All were refused for certain: the next attempt starts with the preferred type again.
  await slots.changeLaunch(slot, generation, instanceTypes[0] ?? '');
  const zone = await zoneName(subnetId, deps, log);
  throw new CapacityUnavailable(`${serverName(slot)} in ${zone}: tried ${refusals.join(', ')}`);
}

async function complete(
  { slot }: Order,
  generation: number,
  { instanceId, instanceType, privateIp }: Machine,
  { slots, now }: Deps,
  log: Logger,
): Promise<Answer> {
  const launch = { instanceId, generation, launchedAt: now(), ...(privateIp === null ? {} : { privateIp }) };
  const recorded = await slots.completeLaunch(slot, launch);
  if (!recorded && !(await slots.read(slot)).instances.some((known) => known.instanceId === instanceId)) {
    throw new LeaseLost(`another execution launches ${serverName(slot)}`);
  }
  log.info('launched server', { instanceId, generation, instanceType });
  return { slot, instanceId, generation, instanceType };
}

/** For people. That it cannot be looked up must not hide that there is no capacity. */
async function zoneName(subnetId: string, { instances }: Deps, log: Logger): Promise<string> {
  try {
    return await instances.zoneOf(subnetId);
  } catch (error) {
    log.warn('zone of subnet not found', { subnetId, reason: explain(error) });
    return `the zone of ${subnetId}`;
  }
}

const isEnding = ({ state }: Machine) => state === 'shutting-down' || state === 'terminated';
