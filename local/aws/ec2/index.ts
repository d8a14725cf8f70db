import type { Machine } from '../../machine';
import type { Operation, Protocol, Provision, Service, World } from '../service';
import { Capacity } from './capacity';
import { catalogueOperations } from './catalogue';
import type { Cidr } from './cidr';
import { get } from './ids';
import type { Instance } from './instance';
import { instanceOperations } from './instance-operations';
import { LaunchTemplates } from './launch-templates';
import { type InstancePredicate, Lifecycle, type LifecycleDependencies, type StateListener } from './lifecycle';
import { Routing } from './routing';
import { type RunInstancesDependencies, runInstances } from './run-instances';
import { type Peer, SecurityGroups } from './security-groups';
import { type Taggable, tagOperations } from './tags';
import { type Subnet, Vpcs } from './vpc';

export { publicImageParameter } from './images';
export type { Instance, InstanceState } from './instance';
export { INSTANCE_TYPES } from './instance-types';
export type { Ec2Event, StateListener } from './lifecycle';
export type { Peer } from './security-groups';
export type { Subnet, Vpc } from './vpc';

export interface Ec2Dependencies
  extends LifecycleDependencies,
    Pick<RunInstancesDependencies, 'nextAddress' | 'roleOfProfile'> {}

/** The embedded EC2: instances on a machine host, and the VPC around them. */
export class Ec2 implements Service {
  readonly name = 'ec2';
  readonly protocol: Protocol = 'ec2';
  readonly version = '2016-11-15';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly capacity: Capacity;
  private readonly lifecycle: Lifecycle;
  private readonly vpcs: Vpcs;
  private readonly groups: SecurityGroups;
  private readonly routing: Routing;
  private describeLagMs = 0;

  constructor(
    private readonly world: World,
    dependencies: Ec2Dependencies,
  ) {
    this.capacity = new Capacity(world);
    const lifecycle = new Lifecycle(world, dependencies);
    this.lifecycle = lifecycle;
    this.vpcs = new Vpcs(
      world,
      (subnetId) => [...lifecycle.networkInterfaces.values()].filter((item) => item.subnetId === subnetId).length,
    );
    this.groups = new SecurityGroups(world, this.vpcs);
    this.routing = new Routing(world, this.vpcs, this.groups);
    const templates = new LaunchTemplates(world, this.groups);
    const { vpcs, groups, routing, capacity } = this;
    this.operations = {
      RunInstances: runInstances(world, { ...dependencies, lifecycle, vpcs, groups, templates, routing, capacity }),
      ...instanceOperations(world, lifecycle, groups, (instance) => this.visible(instance)),
      ...catalogueOperations(world, capacity),
      ...vpcs.operations,
      ...groups.operations,
      ...templates.operations,
      ...tagOperations(world, () => this.taggable(templates)),
    };
    this.resources = { ...vpcs.resources, ...groups.resources, ...routing.resources, ...templates.resources };
  }

  /** Every instance that EC2 still knows, oldest first, whatever an eventually consistent read would show. */
  instances(): Instance[] {
    return [...this.lifecycle.instances.values()];
  }

  instance(instanceId: string): Instance | undefined {
    return this.lifecycle.instances.get(instanceId);
  }

  /** The machine of an instance whose kernel is up. */
  machine(instanceId: string): Machine | undefined {
    return this.instance(instanceId)?.machine;
  }

  /** Told of every state change at the moment it happens; returns its removal. */
  onState(listener: StateListener): () => void {
    return this.lifecycle.onState(listener);
  }

  /** @throws AwsError InvalidSubnetID.NotFound */
  subnet(subnetId: string): Subnet {
    return this.vpcs.subnet(subnetId);
  }

  /** @throws AwsError InvalidVpcID.NotFound */
  vpcRange(vpcId: string): Cidr {
    return get('vpc', this.vpcs.all, vpcId).cidr;
  }

  /** @throws AwsError InvalidGroup.NotFound */
  requireGroups(groupIds: string[], vpcId: string): void {
    for (const id of groupIds) {
      const group = get('sg', this.groups.all, id);
      if (group.vpcId !== vpcId) get('sg', new Map(), id);
    }
  }

  /** A live instance as security groups see it; undefined when no instance has the address. */
  peer(privateIp: string): Peer | undefined {
    const instance = this.instances().find((candidate) => candidate.privateIp === privateIp);
    return instance && { groups: instance.groups, range: this.vpcs.subnet(instance.subnetId).cidr };
  }

  /** Whether security groups let a new connection pass. */
  admits(from: Peer, to: Peer, port: number, protocol: 'tcp' | 'udp' = 'tcp'): boolean {
    return this.groups.admits(from, to, port, protocol);
  }

  /** Whether any of these groups lets somebody outside the VPC connect to a port. */
  exposed(groupIds: string[], port: number): boolean {
    return this.groups.exposed(groupIds, port);
  }

  /** Whether packets from an instance find a way out of the VPC: without, neither K3s nor AWS' endpoints are reached. */
  reachesInternet(instanceId: string): boolean {
    const instance = this.instance(instanceId);
    return instance !== undefined && this.routing.reachesInternet(instance.subnetId);
  }

  /** Fault: launches of a type (`*`: any) in a zone fail for want of capacity, until it is available again. */
  setCapacity(zone: string, type: string, available: boolean): void {
    this.capacity.set(zone, type, available);
  }

  /** Whether a zone offers an instance type at all. */
  setOffered(zone: string, type: string, offered: boolean): void {
    this.capacity.setOffered(zone, type, offered);
  }

  /** Fault: reads do not show an instance for so long after its launch, ms. */
  setDescribeLag(ms: number): void {
    this.describeLagMs = ms;
  }

  /**
   * Fault: the kernel hangs. EC2 says running, its status check notices after three minutes.
   *
   * @throws AwsError InvalidInstanceID.NotFound
   */
  freeze(instanceId: string): void {
    this.lifecycle.freeze(get('i', this.lifecycle.instances, instanceId));
  }

  /**
   * Fault: the kernels of instances that match do not come up, from now until the returned removal is called. EC2 says
   * running, its status check notices after three minutes.
   */
  preventBoot(predicate: InstancePredicate): () => void {
    return this.lifecycle.preventBoot(predicate);
  }

  /**
   * Somebody terminates an instance, beside everything that goes on.
   *
   * @throws AwsError InvalidInstanceID.NotFound, or OperationNotPermitted when the instance is protected
   */
  terminate(instanceId: string): void {
    this.lifecycle.terminate(get('i', this.lifecycle.instances, instanceId));
  }

  /**
   * Somebody stops an instance, beside everything that goes on.
   *
   * @throws AwsError InvalidInstanceID.NotFound, or IncorrectInstanceState unless it runs
   */
  stop(instanceId: string): void {
    this.lifecycle.stop(get('i', this.lifecycle.instances, instanceId));
  }

  close(): void {
    this.lifecycle.close();
  }

  private visible(instance: Instance): boolean {
    return this.world.clock.now() >= instance.createdAt + this.describeLagMs;
  }

  private *tagged(templates: LaunchTemplates): Iterable<Taggable> {
    for (const { instanceId, tags } of this.instances()) yield { id: instanceId, kind: 'i', type: 'instance', tags };
    for (const { volumeId, tags } of this.lifecycle.volumes.values()) {
      yield { id: volumeId, kind: 'vol', type: 'volume', tags };
    }
    for (const { networkInterfaceId, tags } of this.lifecycle.networkInterfaces.values()) {
      yield { id: networkInterfaceId, kind: 'eni', type: 'network-interface', tags };
    }
    for (const { vpcId, tags } of this.vpcs.all.values()) yield { id: vpcId, kind: 'vpc', type: 'vpc', tags };
    for (const { subnetId, tags } of this.vpcs.subnets.values()) {
      yield { id: subnetId, kind: 'subnet', type: 'subnet', tags };
    }
    for (const { groupId, tags } of this.groups.all.values()) {
      yield { id: groupId, kind: 'sg', type: 'security-group', tags };
    }
    for (const { launchTemplateId, tags } of templates.all.values()) {
      yield { id: launchTemplateId, kind: 'lt', type: 'launch-template', tags };
    }
  }

  private taggable(templates: LaunchTemplates): Taggable[] {
    return [...this.tagged(templates)];
  }
}
