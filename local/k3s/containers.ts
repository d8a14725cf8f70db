/**
 * The container runtime of a machine. Containers are not K3s: they run on when K3s stops or is killed, and end with the
 * machine.
 */
import type { Timer } from '../clock';
import { DataPlane } from './dataplane';
import { Images, type Waiting } from './images';
import type { ServerMachine } from './machine';
import type { Pod } from './objects';
import type { Rules } from './rules';

export interface Container {
  readonly pod: Pod;
  /** What a web server in it answers. */
  readonly page: string | undefined;
  running: boolean;
  /** While it does not run. */
  waiting: Waiting;
  /** Until the next step of its start. */
  timer: Timer | undefined;
}

/** The kubelet's pause before it pulls again, ms: doubled each time (kubelet.go, imageBackOffPeriod and MaxImageBackOff). */
const BACK_OFF = { first: 10_000, most: 300_000 };

const CREATING: Waiting = { reason: 'ContainerCreating' };

export class Containers {
  /** What kube-proxy and the packaged Traefik last heard from the API; kept while there is none. */
  rules: Rules | undefined;
  /** Counts changes. */
  generation = 0;
  private readonly all = new Map<string, Container>();
  private readonly images: Images;
  private readonly dataPlane: DataPlane;

  constructor(private readonly machine: ServerMachine) {
    this.dataPlane = new DataPlane(machine);
    this.images = new Images(machine);
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
    const { instanceId, model } = this.machine;
    if (uid === undefined || this.all.has(uid)) return;
    const missing = pod.spec.containers.map(({ image }) => image).filter((image) => !this.images.has(image));
    const container: Container = { pod, page, running: false, waiting: CREATING, timer: undefined };
    this.all.set(uid, container);
    const guarded = missing.filter((image) => this.images.guarded(image));
    const open = missing.filter((image) => !guarded.includes(image));
    const pull = open.length > 0 ? model.world.latency.sample('image.pull', `${instanceId} ${open.join()}`) : 0;
    if (guarded.length === 0) this.run(container, pull);
    else this.after(container, pull, () => this.pull(container, guarded, BACK_OFF.first));
  }

  /** Until nothing is missing, or the pod is gone. */
  private pull(container: Container, images: readonly string[], pause: number): void {
    const [image, ...others] = images;
    if (image === undefined) {
      this.run(container, 0);
      return;
    }
    const answered = this.images.has(image) ? Promise.resolve(undefined) : this.images.pull(image);
    // A registry that breaks off is one more reason to back off: the kubelet goes on for as long as the pod is there.
    const ended = answered.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    ended.then((failure) => {
      if (!this.holds(container)) return;
      if (failure === undefined) {
        this.pull(container, others, BACK_OFF.first);
        return;
      }
      this.wait(container, { reason: 'ErrImagePull', message: failure });
      const message = `Back-off pulling image "${image}": ErrImagePull: ${failure}`;
      this.after(container, 1000, () => {
        this.wait(container, { reason: 'ImagePullBackOff', message });
        this.after(container, pause - 1000, () => this.pull(container, images, Math.min(2 * pause, BACK_OFF.most)));
      });
    });
  }

  private run(container: Container, pull: number): void {
    const { instanceId, model } = this.machine;
    const { metadata, spec } = container.pod;
    const images = spec.containers.map(({ image }) => image);
    this.after(container, pull + model.world.latency.sample('pod.start', `${instanceId} ${images.join()}`), () => {
      if (!this.machine.alive()) return;
      for (const { image } of spec.containers) this.images.add(image);
      const foreign = spec.containers.find(({ image }) => !this.images.runs(image));
      if (foreign) {
        const pod = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
        const message = `back-off 5m0s restarting failed container=${foreign.name} pod=${pod}`;
        this.wait(container, { reason: 'CrashLoopBackOff', message });
        return;
      }
      container.running = true;
      this.generation++;
      this.sync();
    });
  }

  private after(container: Container, ms: number, task: () => void): void {
    container.timer = this.machine.model.world.clock.after(ms, task);
  }

  private wait(container: Container, waiting: Waiting): void {
    container.waiting = waiting;
    this.generation++;
  }

  private holds({ pod }: Container): boolean {
    return this.all.has(pod.metadata.uid ?? '') && this.machine.alive();
  }

  stop(uid: string): void {
    const container = this.all.get(uid);
    if (!container) return;
    container.timer?.cancel();
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
    for (const { timer } of this.all.values()) timer?.cancel();
    this.all.clear();
    this.rules = undefined;
    this.generation++;
    this.dataPlane.close();
  }
}
