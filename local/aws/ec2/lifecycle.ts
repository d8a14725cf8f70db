/** Power: from the request to the running kernel and back. Every change is told to listeners at once, to EventBridge later. */
import type { MachineHost } from '../../machine';
import { sessionArn } from '../iam/authority';
import { AwsError, type World } from '../service';
import type { Instance, InstanceState, NetworkInterface, Volume } from './instance';

/** An event as EventBridge carries it. */
export interface Ec2Event {
  version: '0';
  id: string;
  'detail-type': string;
  source: 'aws.ec2';
  account: string;
  /** ISO 8601, whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

export interface LifecycleDependencies {
  host: MachineHost;
  /** Puts an event on the account's default bus. */
  emit(event: Ec2Event): void;
  /** Whether EC2 may assume a role, so that the instance gets credentials. */
  assumes(roleArn: string): boolean;
}

/** Which instances a fault is about. */
export type InstancePredicate = (instance: Instance) => boolean;

export type StateListener = (instanceId: string, state: InstanceState) => void;

/** Terminated instances stay describable "for about an hour"; their tags leave them before. */
const FORGET_AFTER_MS = 3_600_000;
const UNTAG_AFTER_MS = 300_000;

export class Lifecycle {
  readonly instances = new Map<string, Instance>();
  readonly volumes = new Map<string, Volume>();
  readonly networkInterfaces = new Map<string, NetworkInterface>();
  private readonly listeners = new Set<StateListener>();
  private readonly bootFaults = new Set<InstancePredicate>();
  private closed = false;

  constructor(
    private readonly world: World,
    private readonly dependencies: LifecycleDependencies,
  ) {}

  /** Calls `listener` at every state change, at the moment it happens; returns its removal. */
  onState(listener: StateListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A new instance, in state `pending`. */
  launch(instance: Instance): void {
    this.instances.set(instance.instanceId, instance);
    for (const volume of instance.volumes) this.volumes.set(volume.volumeId, volume);
    if (instance.networkInterface) {
      this.networkInterfaces.set(instance.networkInterface.networkInterfaceId, instance.networkInterface);
    }
    this.announce(instance);
    this.powerOn(instance);
  }

  /**
   * @throws AwsError IncorrectInstanceState unless stopped
   */
  start(instance: Instance): void {
    if (instance.state === 'pending' || instance.state === 'running') return;
    this.require(instance, ['stopped'], 'started');
    instance.transitionReason = '';
    instance.stateReason = undefined;
    instance.launchedAt = this.world.clock.now();
    this.change(instance, 'pending');
    this.powerOn(instance);
  }

  /**
   * @throws AwsError IncorrectInstanceState unless running
   */
  stop(instance: Instance): void {
    if (instance.state === 'stopping' || instance.state === 'stopped') return;
    this.require(instance, ['running'], 'stopped');
    this.userInitiated(instance);
    this.change(instance, 'stopping');
    this.powerOff(instance, () => this.change(instance, 'stopped'));
  }

  /**
   * @throws AwsError IncorrectInstanceState unless running
   */
  reboot(instance: Instance): void {
    this.require(instance, ['running'], 'rebooted');
    instance.epoch++;
    instance.runningAt = this.world.clock.now();
    this.kill(instance);
    this.boot(instance);
  }

  /**
   * Idempotent.
   *
   * @throws AwsError OperationNotPermitted when the instance is protected
   */
  terminate(instance: Instance): void {
    if (instance.state === 'shutting-down' || instance.state === 'terminated') return;
    if (instance.terminationProtected) {
      throw new AwsError(
        'OperationNotPermitted',
        `The instance '${instance.instanceId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
      );
    }
    this.userInitiated(instance);
    this.change(instance, 'shutting-down');
    this.powerOff(instance, () => this.terminated(instance));
  }

  /** The kernel hangs: EC2 goes on saying `running` until its status check notices. */
  freeze(instance: Instance): void {
    if (!instance.machine) throw new Error(`${instance.instanceId} has not booted`);
    instance.unreachableSince ??= this.world.clock.now();
    instance.machine.freeze();
  }

  /** The kernels of instances that match do not come up, from now until the returned removal is called. */
  preventBoot(predicate: InstancePredicate): () => void {
    const fault: InstancePredicate = (instance) => predicate(instance);
    this.bootFaults.add(fault);
    return () => this.bootFaults.delete(fault);
  }

  /** Ends every pending transition. Machines belong to their host. */
  close(): void {
    this.closed = true;
    for (const instance of this.instances.values()) instance.epoch++;
  }

  private require(instance: Instance, states: InstanceState[], verb: string): void {
    if (states.includes(instance.state)) return;
    throw new AwsError(
      'IncorrectInstanceState',
      `The instance '${instance.instanceId}' is not in a state from which it can be ${verb}.`,
    );
  }

  private userInitiated(instance: Instance): void {
    const at = new Date(this.world.clock.now()).toISOString().slice(0, 19).replace('T', ' ');
    instance.transitionReason = `User initiated (${at} GMT)`;
    instance.stateReason = {
      code: 'Client.UserInitiatedShutdown',
      message: 'Client.UserInitiatedShutdown: User initiated shutdown',
    };
  }

  private change(instance: Instance, state: InstanceState): void {
    instance.state = state;
    instance.epoch++;
    this.announce(instance);
  }

  private announce({ instanceId, state }: Instance): void {
    this.world.log('instance changed state', { instanceId, state });
    for (const listener of this.listeners) listener(instanceId, state);
    const { clock, latency, random, region, account } = this.world;
    const event: Ec2Event = {
      version: '0',
      id: random.uuid(),
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account,
      time: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
      region,
      resources: [`arn:aws:ec2:${region}:${account}:instance/${instanceId}`],
      detail: { 'instance-id': instanceId, state },
    };
    clock.after(latency.sample('ec2.state-change-event', instanceId), () => {
      if (!this.closed) this.dependencies.emit(event);
    });
  }

  /** Calls `next` after a delay, unless the instance's power has changed since. */
  private later(instance: Instance, ms: number, next: () => void): void {
    const { epoch } = instance;
    this.world.clock.after(ms, () => {
      if (instance.epoch === epoch) next();
    });
  }

  private powerOn(instance: Instance): void {
    this.later(instance, this.world.latency.sample('ec2.pending-to-running', instance.instanceId), () => {
      instance.runningAt = this.world.clock.now();
      this.change(instance, 'running');
      this.boot(instance);
    });
  }

  private powerOff(instance: Instance, next: () => void): void {
    const booted = instance.machine !== undefined;
    this.kill(instance);
    // What never booted has no operating system to shut down.
    this.later(instance, booted ? this.world.latency.sample('ec2.shutting-down', instance.instanceId) : 1000, next);
  }

  /** The host is asked for one thing at a time: a reboot begins when the machine before it is gone. */
  private boot(instance: Instance): void {
    const { epoch, instanceId, hosted } = instance;
    const booted = async () => {
      await hosted;
      if (instance.epoch !== epoch) return;
      if ([...this.bootFaults].some((prevents) => prevents(instance))) {
        instance.unreachableSince = this.world.clock.now();
        this.world.log('the kernel does not come up', { instanceId });
        return;
      }
      const machine = await this.dependencies.host.boot({
        instanceId,
        privateIp: instance.privateIp,
        availabilityZone: instance.zone,
        region: this.world.region,
        instanceType: instance.type.name,
        architecture: instance.type.architecture,
        userData: instance.userData,
        credentials: this.credentials(instance),
      });
      if (instance.epoch === epoch) instance.machine = machine;
      else await machine.kill();
    };
    instance.hosted = booted().catch((error: unknown) => {
      if (instance.epoch === epoch) instance.unreachableSince = this.world.clock.now();
      this.world.log('machine did not boot', { instanceId, error: String(error) });
    });
  }

  /** What the metadata service hands out: a session of the instance profile's role, named after the instance. */
  private credentials({ roleArn, instanceId }: Instance) {
    if (!roleArn || !this.dependencies.assumes(roleArn))
      return { accessKeyId: '', secretAccessKey: '', sessionToken: '' };
    const issued = this.world.credentials.issue(sessionArn(roleArn, instanceId));
    const { accessKeyId, secretAccessKey, sessionToken } = issued;
    return { accessKeyId, secretAccessKey, sessionToken };
  }

  private kill(instance: Instance): void {
    const { machine, hosted, instanceId } = instance;
    instance.machine = undefined;
    instance.unreachableSince = undefined;
    if (!machine) return;
    const ended = machine.kill().catch((error: unknown) => {
      this.world.log('machine did not end cleanly', { instanceId, error: String(error) });
    });
    instance.hosted = Promise.all([hosted, ended]).then(() => {});
  }

  private terminated(instance: Instance): void {
    for (const volume of instance.volumes) {
      if (volume.deleteOnTermination) this.volumes.delete(volume.volumeId);
      else volume.instanceId = undefined;
    }
    if (instance.networkInterface) this.networkInterfaces.delete(instance.networkInterface.networkInterfaceId);
    instance.volumes = [];
    instance.networkInterface = undefined;
    instance.privateIp = '';
    instance.publicIp = undefined;
    this.change(instance, 'terminated');
    const { hosted, instanceId } = instance;
    const erased = async () => {
      await hosted;
      await this.dependencies.host.erase(instanceId);
    };
    instance.hosted = erased().catch((error: unknown) => {
      this.world.log('disk was not erased', { instanceId, error: String(error) });
    });
    this.later(instance, UNTAG_AFTER_MS, () => instance.tags.clear());
    this.later(instance, FORGET_AFTER_MS, () => this.instances.delete(instance.instanceId));
  }
}
