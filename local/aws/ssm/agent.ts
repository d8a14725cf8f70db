/** The SSM agent of each instance: when it registers, whether it can be reached, what it runs. */
import type { Timer } from '../../clock';
import type { Machine } from '../../machine';
import type { World } from '../service';
import type { Instances } from './instances';

/** How often an agent reports itself. Source: API reference, InstanceInformation.LastPingDateTime. */
const PING_INTERVAL_MS = 5 * 60_000;
/** One report late and the connection counts as lost. */
const LOST_AFTER_MS = PING_INTERVAL_MS + 60_000;
/** How often an agent that could not register tries again. */
const REGISTER_RETRY_MS = 1000;
/** Documents an agent runs at once. Source: amazon-ssm-agent, agent/appconfig, DefaultCommandWorkersLimit. */
const WORKERS = 5;

/**
 * What the agent asks of its instance's role. It falls back to ec2messages when it may not open a control channel; that
 * older channel is not modelled, and no role here is granted it.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html
 */
const HEARTBEAT = 'ssm:UpdateInstanceInformation';
const CONTROL_CHANNEL = ['ssmmessages:CreateControlChannel', 'ssmmessages:OpenControlChannel'];

export class Agent {
  running = true;
  registeredAt: number | undefined;
  lastPingAt = 0;
  /** Fault: the process is dead although the instance runs. */
  lost = false;
  private timer: Timer | undefined;
  private busy = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    readonly instanceId: string,
    private readonly world: World,
    private readonly instances: Instances,
    private readonly reachable: (address: string) => boolean,
    /** Whether the instance's role lets the agent do something. */
    private readonly may: (action: string) => boolean,
  ) {}

  /** The machine that the agent runs on. */
  get host(): Machine | undefined {
    return this.running && !this.lost ? this.instances.machine(this.instanceId) : undefined;
  }

  /** Whether the agent and SSM can talk to each other right now. Commands arrive on the control channel. */
  get isConnected(): boolean {
    return this.registeredAt !== undefined && this.reaches() && CONTROL_CHANNEL.every(this.may);
  }

  get pingStatus(): 'Online' | 'ConnectionLost' {
    return this.world.clock.now() - this.lastPingAt <= LOST_AFTER_MS ? 'Online' : 'ConnectionLost';
  }

  /** The instance runs: registers after its time, or reports at once when SSM knows it already. */
  start(): void {
    this.running = true;
    this.schedule(this.registeredAt === undefined ? this.world.latency.sample('ssm.agent-online', this.instanceId) : 0);
  }

  stop(): void {
    this.running = false;
    this.timer?.cancel();
  }

  ping(): void {
    if (this.registeredAt !== undefined && this.reaches() && this.may(HEARTBEAT))
      this.lastPingAt = this.world.clock.now();
  }

  /** Runs a document when one of the agent's workers is free. */
  async work<T>(task: () => Promise<T>): Promise<T> {
    if (this.busy >= WORKERS) await new Promise<void>((resolve) => this.queue.push(resolve));
    this.busy++;
    try {
      return await task();
    } finally {
      this.busy--;
      this.queue.shift()?.();
    }
  }

  private reaches(): boolean {
    const { host } = this;
    return host !== undefined && this.reachable(host.address);
  }

  private schedule(delay: number): void {
    this.timer?.cancel();
    this.timer = this.world.clock.after(delay, () => this.report());
  }

  private report(): void {
    const { host } = this;
    if (this.registeredAt === undefined && this.reaches() && this.may(HEARTBEAT)) {
      this.registeredAt = this.world.clock.now();
      this.world.log('SSM agent is online', { instanceId: this.instanceId });
    }
    this.ping();
    // It starts with the operating system: an instance that was started again is heard of as soon as it has booted.
    const booting = this.running && !this.lost && !host;
    this.schedule(this.registeredAt === undefined || booting ? REGISTER_RETRY_MS : PING_INTERVAL_MS);
  }
}
