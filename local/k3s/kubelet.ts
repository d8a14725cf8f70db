/** The kubelet of one node: starts and stops what the API says, and reports back. */
import type { Cluster } from './cluster';
import type { ServerMachine } from './machine';
import { condition, type Pod, timestamp, waitingOf, withCondition } from './objects';
import { pageOf } from './page';
import { rulesOf } from './rules';

export class Kubelet {
  private seen = { revision: -1, generation: -1 };

  constructor(
    private readonly cluster: Cluster,
    readonly machine: ServerMachine,
    readonly nodeName: string,
  ) {}

  sync(): void {
    const { api } = this.cluster;
    const { containers } = this.machine;
    if (api.revision === this.seen.revision && containers.generation === this.seen.generation) return;
    const mine = api.list<Pod>('Pod').filter((pod) => pod.spec.nodeName === this.nodeName);
    const wanted = new Set(
      mine.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.uid),
    );
    for (const uid of containers.uids()) if (!wanted.has(uid)) containers.stop(uid);
    for (const pod of mine) {
      if (pod.metadata.deletionTimestamp) api.forget(pod);
      else this.care(pod);
    }
    const rules = rulesOf(this.cluster);
    this.seen = { revision: api.revision, generation: containers.generation };
    if (containers.rules === rules) return;
    containers.rules = rules;
    containers.sync();
  }

  private care(pod: Pod): void {
    const { uid } = pod.metadata;
    const { containers, model } = this.machine;
    const container = uid === undefined ? undefined : containers.get(uid);
    if (!container) containers.start(pod, pageOf(this.cluster.api, pod));
    const status = container?.running ? 'True' : 'False';
    const waiting = container?.waiting ?? { reason: 'ContainerCreating' };
    const known = condition({ status: pod.status }, 'Ready')?.status === status;
    const told = waitingOf(pod);
    if (known && (status === 'True' || (told?.reason === waiting.reason && told.message === waiting.message))) return;
    const at = timestamp(model.world.clock.now());
    const reason = status === 'True' ? '' : 'ContainersNotReady';
    this.cluster.api.update({
      ...pod,
      status: {
        ...pod.status,
        phase: status === 'True' ? 'Running' : 'Pending',
        hostIP: this.machine.address,
        podIP: pod.status?.podIP ?? `10.42.${model.world.random.integer(256)}.${2 + model.world.random.integer(250)}`,
        startTime: pod.status?.startTime ?? at,
        conditions: withCondition(pod.status?.conditions, { type: 'Ready', status, reason, message: '' }, at),
        containerStatuses: pod.spec.containers.map(({ name, image }) => ({
          name,
          image,
          ready: status === 'True',
          restartCount: 0,
          state: status === 'True' ? { running: { startedAt: at } } : { waiting },
        })),
      },
    });
  }
}
