import { z } from 'zod';
import { BOOLEAN } from '../scalars';
import { AwsError, type Operation, operation, type World } from '../service';
import { describeInstance, describeInterface, describeState, describeVolume } from './describe';
import { type FilterFields, filter, page } from './filters';
import { select } from './ids';
import { type Instance, type InstanceState, STATE_CODES } from './instance';
import type { Lifecycle } from './lifecycle';
import { instanceNeeds } from './permissions';
import { DESCRIBE, IDS } from './schema';
import type { SecurityGroups } from './security-groups';
import { zoneId } from './vpc';

const INSTANCE_FIELDS: FilterFields<Instance> = {
  architecture: ({ type }) => type.architecture,
  'availability-zone': ({ zone }) => zone,
  'client-token': ({ clientToken }) => clientToken,
  'iam-instance-profile.arn': ({ profileArn }) => profileArn,
  'image-id': ({ imageId }) => imageId,
  'instance-id': ({ instanceId }) => instanceId,
  'instance-state-code': ({ state }) => String(STATE_CODES[state]),
  'instance-state-name': ({ state }) => state,
  'instance-type': ({ type }) => type.name,
  'instance.group-id': ({ groups }) => groups,
  'ip-address': ({ publicIp }) => publicIp,
  'network-interface.network-interface-id': ({ networkInterface }) => networkInterface?.networkInterfaceId,
  'private-ip-address': ({ privateIp }) => privateIp || undefined,
  'reservation-id': ({ reservationId }) => reservationId,
  'subnet-id': ({ subnetId }) => subnetId,
  'vpc-id': ({ vpcId }) => vpcId,
};

/** A status check runs every minute: a machine is judged after its first two, and called impaired after it missed three. */
const JUDGED_AFTER_MS = 120_000;
const IMPAIRED_AFTER_MS = 180_000;

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html */
function statusOf(instance: Instance, now: number) {
  if (instance.state !== 'running') return { status: 'not-applicable' };
  const { unreachableSince, runningAt = now } = instance;
  if (unreachableSince !== undefined && now - unreachableSince >= IMPAIRED_AFTER_MS) {
    return {
      status: 'impaired',
      details: [{ name: 'reachability', status: 'failed', impairedSince: new Date(unreachableSince) }],
    };
  }
  const judged = instance.machine !== undefined && now - runningAt >= JUDGED_AFTER_MS;
  return judged
    ? { status: 'ok', details: [{ name: 'reachability', status: 'passed' }] }
    : { status: 'initializing', details: [{ name: 'reachability', status: 'initializing' }] };
}

const TARGETS = { InstanceId: z.array(z.string()).min(1), DryRun: BOOLEAN.default(false) };

export function instanceOperations(
  world: World,
  lifecycle: Lifecycle,
  groups: SecurityGroups,
  /** Whether an eventually consistent read shows the instance already. */
  visible: (instance: Instance) => boolean,
): Record<string, Operation> {
  const shown = () => new Map([...lifecycle.instances].filter(([, instance]) => visible(instance)));

  const found = (input: { InstanceId?: string[]; Filter: z.infer<typeof DESCRIBE.Filter>; MaxResults?: number }) => {
    if (input.InstanceId && input.MaxResults !== undefined) {
      throw new AwsError(
        'InvalidParameterCombination',
        'The parameter instancesSet cannot be used with the parameter maxResults',
      );
    }
    return filter(select('i', shown(), input.InstanceId), input.Filter, INSTANCE_FIELDS);
  };

  /** An operation that changes the power of instances: all of them, or, when one may not, none. */
  const power = (
    name: string,
    act: (instance: Instance) => void,
    allowed: InstanceState[],
    flags: z.ZodRawShape = {},
  ): Record<string, Operation> => ({
    [name]: operation<{ InstanceId: string[]; DryRun: boolean }, unknown>({
      input: z.strictObject({ ...flags, ...TARGETS }),
      needs: ({ InstanceId }) => instanceNeeds(world, name, select('i', lifecycle.instances, InstanceId)),
      handle: ({ InstanceId, DryRun }) => {
        const instances = select('i', lifecycle.instances, InstanceId);
        const wrong = instances.find(({ state }) => !allowed.includes(state));
        if (wrong) {
          throw new AwsError(
            'IncorrectInstanceState',
            `The instance '${wrong.instanceId}' is not in a valid state for this operation: it is ${wrong.state}.`,
          );
        }
        if (DryRun) {
          throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
        }
        return {
          instancesSet: instances.map((instance) => {
            const previousState = describeState(instance.state);
            act(instance);
            return { instanceId: instance.instanceId, currentState: describeState(instance.state), previousState };
          }),
        };
      },
    }),
  });

  return {
    DescribeInstances: operation({
      input: z.strictObject({ ...DESCRIBE, InstanceId: IDS }),
      handle: (input) => {
        const { items, nextToken } = page(found(input), ({ instanceId }) => instanceId, input);
        return {
          reservationSet: items.map((instance) => ({
            reservationId: instance.reservationId,
            ownerId: world.account,
            groupSet: [],
            instancesSet: [describeInstance(world, instance, groups)],
          })),
          nextToken,
        };
      },
    }),
    DescribeInstanceStatus: operation({
      input: z.strictObject({ ...DESCRIBE, InstanceId: IDS, IncludeAllInstances: BOOLEAN.default(false) }),
      handle: (input) => {
        const included = found(input).filter(({ state }) => input.IncludeAllInstances || state === 'running');
        const { items, nextToken } = page(included, ({ instanceId }) => instanceId, input);
        const now = world.clock.now();
        return {
          instanceStatusSet: items.map((instance) => ({
            instanceId: instance.instanceId,
            availabilityZone: instance.zone,
            availabilityZoneId: zoneId(instance.zone),
            instanceState: describeState(instance.state),
            instanceStatus: statusOf(instance, now),
            // The host beneath is never the one that fails here.
            systemStatus: statusOf({ ...instance, unreachableSince: undefined }, now),
          })),
          nextToken,
        };
      },
    }),
    ...power('TerminateInstances', (instance) => lifecycle.terminate(instance), [
      'pending',
      'running',
      'shutting-down',
      'terminated',
      'stopping',
      'stopped',
    ]),
    ...power('StopInstances', (instance) => lifecycle.stop(instance), ['running', 'stopping', 'stopped'], {
      // Power goes off at once either way.
      Force: BOOLEAN.optional(),
    }),
    ...power('StartInstances', (instance) => lifecycle.start(instance), ['pending', 'running', 'stopped']),
    ...power('RebootInstances', (instance) => lifecycle.reboot(instance), ['running']),
    DescribeVolumes: operation({
      input: z.strictObject({ ...DESCRIBE, VolumeId: IDS }),
      handle: (input) => {
        const volumes = filter(select('vol', lifecycle.volumes, input.VolumeId), input.Filter, {
          'attachment.instance-id': ({ instanceId }) => instanceId,
          'availability-zone': ({ zone }) => zone,
          encrypted: ({ encrypted }) => String(encrypted),
          status: ({ instanceId }) => (instanceId ? 'in-use' : 'available'),
          'volume-id': ({ volumeId }) => volumeId,
          'volume-type': ({ type }) => type,
        });
        const { items, nextToken } = page(volumes, ({ volumeId }) => volumeId, input);
        return { volumeSet: items.map(describeVolume), nextToken };
      },
    }),
    DescribeNetworkInterfaces: operation({
      input: z.strictObject({ ...DESCRIBE, NetworkInterfaceId: IDS }),
      handle: (input) => {
        const all = select('eni', lifecycle.networkInterfaces, input.NetworkInterfaceId);
        const interfaces = filter(all, input.Filter, {
          'attachment.instance-id': ({ instanceId }) => instanceId,
          'availability-zone': ({ zone }) => zone,
          'group-id': (item) => item.groups,
          'network-interface-id': ({ networkInterfaceId }) => networkInterfaceId,
          'private-ip-address': ({ privateIp }) => privateIp,
          status: () => 'in-use',
          'subnet-id': ({ subnetId }) => subnetId,
          'vpc-id': ({ vpcId }) => vpcId,
        });
        const { items, nextToken } = page(interfaces, ({ networkInterfaceId }) => networkInterfaceId, input);
        return { networkInterfaceSet: items.map((item) => describeInterface(world, item, groups)), nextToken };
      },
    }),
  };
}
