/** One instance as K3s sees it: its disk, its journal, its containers, and whether it runs. */
import type { World } from '../aws/service';
import type { Network } from '../network';
import type { Cluster } from './cluster';
import type { CommandResult, Files, MachineContext } from './command';
import { Containers } from './containers';
import type { Registries } from './images';
import { Journal } from './journal';
import { Unit } from './systemd';

/** What everything in the model shares. */
export interface Model {
  readonly world: World;
  readonly network: Network;
  readonly registries: Registries;
  /** By instance id. */
  readonly machines: Map<string, ServerMachine>;
  /** Every cluster that ever was, by its UUID: a disk remembers which one it belongs to. */
  readonly clusters: Map<string, Cluster>;
  /** The machine that has this address, running or not. */
  machineAt(address: string): ServerMachine | undefined;
}

export class ServerMachine {
  readonly journal: Journal;
  readonly containers: Containers;
  readonly unit: Unit;
  private context: MachineContext | undefined;
  /** The last boot's: the disk and the address stay when the power goes. */
  private known: MachineContext;
  private hung = false;
  private unblock: (() => void) | undefined;

  constructor(
    readonly model: Model,
    context: MachineContext,
  ) {
    this.known = context;
    this.journal = new Journal(model.world.clock);
    this.containers = new Containers(this);
    this.unit = new Unit(this);
  }

  get instanceId(): string {
    return this.known.spec.instanceId;
  }

  get address(): string {
    return this.known.spec.privateIp;
  }

  get availabilityZone(): string {
    return this.known.spec.availabilityZone;
  }

  /** As Amazon Linux sets it: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-naming.html (IP name). */
  get hostname(): string {
    return `ip-${this.address.replaceAll('.', '-')}.${this.known.spec.region}.compute.internal`;
  }

  get architecture(): 'amd64' | 'arm64' {
    return this.known.spec.architecture === 'arm64' ? 'arm64' : 'amd64';
  }

  get files(): Files {
    return this.known.files;
  }

  /** Aborted when the power goes. */
  get signal(): AbortSignal {
    return this.known.signal;
  }

  /** Runs a program from the machine's own disk, as a daemon does. */
  execute(path: string): Promise<CommandResult> {
    return this.known.execute(path);
  }

  /** Powered on, its kernel running. */
  get on(): boolean {
    return this.context !== undefined;
  }

  /** On and not hanging. */
  alive(): boolean {
    return this.context !== undefined && !this.hung;
  }

  boot(context: MachineContext): void {
    this.context = context;
    this.known = context;
    this.hung = false;
    this.unit.boot();
  }

  kill(): void {
    this.context = undefined;
    this.hung = false;
    this.unblock?.();
    this.unblock = undefined;
    this.unit.kill();
    this.containers.kill();
  }

  /** Nothing on the machine progresses and no packet gets an answer until it is killed. */
  freeze(): void {
    if (!this.alive()) return;
    this.hung = true;
    const { address } = this;
    this.unblock = this.model.network.block((from, to) => from === address || to === address);
  }

  /** Waits on this machine's own time: for ever while it hangs. Rejects with the signal's reason. */
  async pause(ms: number, signal: AbortSignal = this.signal): Promise<void> {
    await this.model.world.clock.sleep(ms, signal);
    if (this.hung) await aborted(signal);
  }

  /** One draw from the latency profile, waited for. */
  pauseFor(name: Parameters<World['latency']['sample']>[0], signal?: AbortSignal): Promise<void> {
    return this.pause(this.model.world.latency.sample(name, this.instanceId), signal);
  }
}

/** Never resolves; rejects with the signal's reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
