/**
 * The container runtime of a machine. Containers are not K3s: they run on when K3s stops or is killed, and end with the
 * machine.
 */
import type { Timer } from '../clock';
import { DataPlane } from './dataplane';
import type { ServerMachine } from './machine';
import type { Pod } from './objects';
import type { Rules } from './rules';

export interface Container {
  readonly pod: Pod;
  /** What a web server in it answers. */
  readonly page: string | undefined;
  running: boolean;
  timer: Timer;
}

export class Containers {
  /** What kube-proxy and the packaged Traefik last heard from the API; kept while there is none. */
  rules: Rules | undefined;
  /** Counts changes. */
  generation = 0;
  private readonly all = new Map<string, Container>();
  /** Images on the disk. */
  private readonly pulled = new Set<string>();
  private readonly dataPlane: DataPlane;

  constructor(private readonly machine: ServerMachine) {
    this.dataPlane = new DataPlane(machine);
  }

  get(uid: string): Container | undefined {
    return this.all.get(uid);
  }

  uids(): string[] {
    return [...this.all.keys()];
  }

  /** The first running container of a pod like this. */
  running(like: (pod: Pod) => boolean): Container | undefined {
    return [...this.all.values()].find((container) => container.running && like(container.pod));
  }

  /** Pulls what is missing and starts a pod's containers; it is ready some time later. */
  start(pod: Pod, page: string | undefined): void {
    const { uid } = pod.metadata;
    const { instanceId } = this.machine;
    const { clock, latency } = this.machine.model.world;
    if (uid === undefined || this.all.has(uid)) return;
    const images = pod.spec.containers.map(({ image }) => image);
    const missing = images.filter((image) => !this.pulled.has(image));
    const pull = missing.length > 0 ? latency.sample('image.pull', `${instanceId} ${missing.join()}`) : 0;
    const timer = clock.after(pull + latency.sample('pod.start', `${instanceId} ${images.join()}`), () => {
      if (!this.machine.alive()) return;
      for (const image of missing) this.pulled.add(image);
      container.running = true;
      this.generation++;
      this.sync();
    });
    const container: Container = { pod, page, running: false, timer };
    this.all.set(uid, container);
  }

  stop(uid: string): void {
    const container = this.all.get(uid);
    if (!container) return;
    container.timer.cancel();
    this.all.delete(uid);
    this.generation++;
    this.sync();
  }

  /** Opens and closes ports as the rules and the running containers say. */
  sync(): void {
    this.dataPlane.sync();
  }

  /** The power goes. */
  kill(): void {
    for (const { timer } of this.all.values()) timer.cancel();
    this.all.clear();
    this.rules = undefined;
    this.generation++;
    this.dataPlane.close();
  }
}
