/** EC2: the machines of one cluster. */
import {
  type _InstanceType,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  type Filter,
  type Instance,
  type InstanceStatus,
  type ResourceType,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { parseTags, SERVER_ROLE, TAG, tagsOf } from '../cluster/names';
import type { InstanceState, ObservedInstance } from '../cluster/observation';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isNotFound } from './errors';

/** An instance as EC2 knows it. */
export interface Machine {
  instanceId: string;
  state: InstanceState;
  /** From the tags; null when they are not those of a server of this cluster, or gone with the instance. */
  tags: { slot: number; generation: number } | null;
  instanceType: string;
  availabilityZone: string | null;
  privateIp: string | null;
  /** Epoch ms. */
  launchedAt: number | null;
  /** Why it is in this state, where EC2 says so: `Server.InsufficientInstanceCapacity: …`. */
  stateReason: string | null;
}

export interface LaunchRequest {
  launchTemplate: string;
  launchTemplateVersion: string;
  subnetId: string;
  instanceType: string;
  /** At most 64 ASCII characters. The same token gives the same instance, whatever became of it. */
  clientToken: string;
  slot: number;
  generation: number;
}

export type StatusCheck = ObservedInstance['statusCheck'];

/** Tagged in the request itself: the role may launch nothing that does not carry the cluster's tag from birth. */
const TAGGED: ResourceType[] = ['instance', 'volume', 'network-interface'];

const STATES: readonly InstanceState[] = [
  'pending',
  'running',
  'shutting-down',
  'terminated',
  'stopping',
  'stopped',
  'unknown',
];

export class Instances {
  private readonly client: EC2Client;

  constructor(
    settings: ClientSettings,
    private readonly cluster: string,
  ) {
    this.client = new EC2Client(clientSettings(settings));
  }

  /** @throws what EC2 answers: see isCapacity, isUnsupported, isTokenSpent */
  async launch(request: LaunchRequest): Promise<Machine> {
    const { launchTemplate, launchTemplateVersion, subnetId, instanceType, clientToken, slot, generation } = request;
    const tags = Object.entries(tagsOf({ cluster: this.cluster, slot, generation }));
    const { Instances = [] } = await attempt('RunInstances', () =>
      this.client.send(
        new RunInstancesCommand({
          LaunchTemplate: { LaunchTemplateId: launchTemplate, Version: launchTemplateVersion },
          MinCount: 1,
          MaxCount: 1,
          SubnetId: subnetId,
          // The SDK types this as the instance types of its day; EC2 decides.
          InstanceType: instanceType as _InstanceType,
          ClientToken: clientToken,
          TagSpecifications: TAGGED.map((ResourceType) => ({
            ResourceType,
            Tags: tags.map(([Key, Value]) => ({ Key, Value })),
          })),
        }),
      ),
    );
    const [machine] = Instances.flatMap((instance) => this.read(instance));
    if (!machine) throw new Error('RunInstances answered without an instance');
    return machine;
  }

  /** Every instance that carries this cluster's tags, terminated ones included while EC2 keeps their tags. */
  byTag(): Promise<Machine[]> {
    return this.describe([
      { Name: `tag:${TAG.cluster}`, Values: [this.cluster] },
      { Name: `tag:${TAG.role}`, Values: [SERVER_ROLE] },
    ]);
  }

  /**
   * Those of the instances that EC2 knows. A filter, because asking by id fails for all of them as soon as one is
   * unknown: one launched a moment ago, or terminated more than about an hour ago.
   */
  async byId(instanceIds: string[]): Promise<Machine[]> {
    if (instanceIds.length === 0) return [];
    return this.describe([{ Name: 'instance-id', Values: instanceIds }]);
  }

  /** Null: EC2 does not know it, not yet or not any more. */
  async find(instanceId: string): Promise<Machine | null> {
    return (await this.byId([instanceId]))[0] ?? null;
  }

  /** Of running instances; one that is not in the map was not reported. */
  async statusChecks(instanceIds: string[]): Promise<Map<string, StatusCheck>> {
    if (instanceIds.length === 0) return new Map();
    const { InstanceStatuses = [] } = await attempt('DescribeInstanceStatus', () =>
      this.client.send(new DescribeInstanceStatusCommand({ InstanceIds: instanceIds })),
    );
    return new Map(InstanceStatuses.map((status) => [status.InstanceId ?? '', statusCheck(status)]));
  }

  /** Terminates; an instance that is gone already is what was wanted. */
  async terminate(instanceId: string): Promise<void> {
    try {
      await attempt('TerminateInstances', () =>
        this.client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] })),
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The zone's name, for people; the subnet's id when EC2 does not name one. */
  async zoneOf(subnetId: string): Promise<string> {
    const { Subnets = [] } = await attempt('DescribeSubnets', () =>
      this.client.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] })),
    );
    return Subnets[0]?.AvailabilityZone ?? subnetId;
  }

  private async describe(Filters: Filter[]): Promise<Machine[]> {
    const machines: Machine[] = [];
    let NextToken: string | undefined;
    do {
      const page = await attempt('DescribeInstances', () =>
        this.client.send(new DescribeInstancesCommand({ Filters, NextToken })),
      );
      for (const { Instances = [] } of page.Reservations ?? []) {
        machines.push(...Instances.flatMap((instance) => this.read(instance)));
      }
      NextToken = page.NextToken;
    } while (NextToken);
    return machines;
  }

  private read(instance: Instance): Machine[] {
    if (!instance.InstanceId) return [];
    const tags = Object.fromEntries((instance.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    return [
      {
        instanceId: instance.InstanceId,
        state: STATES.find((state) => state === instance.State?.Name) ?? 'unknown',
        tags: tags[TAG.cluster] === this.cluster ? parseTags(tags) : null,
        instanceType: instance.InstanceType ?? '',
        availabilityZone: instance.Placement?.AvailabilityZone ?? null,
        privateIp: instance.PrivateIpAddress ?? null,
        launchedAt: instance.LaunchTime?.getTime() ?? null,
        stateReason: instance.StateReason?.Message ?? null,
      },
    ];
  }
}

/** Two checks, one verdict: the instance's own and its host's. */
function statusCheck({ InstanceStatus, SystemStatus }: InstanceStatus): StatusCheck {
  const statuses = [InstanceStatus?.Status, SystemStatus?.Status];
  if (statuses.includes('impaired')) return 'impaired';
  if (statuses.every((status) => status === 'ok')) return 'ok';
  return statuses.includes('initializing') ? 'initializing' : 'unknown';
}
