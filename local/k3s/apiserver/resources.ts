/** The objects that the API serves: the stored ones, and those that only say what the model knows anyway. */
import type { Cluster } from '../cluster';
import type { Kind } from '../kinds';
import { targetPort } from '../network-policy';
import { condition, type KubeObject, type Node, timestamp } from '../objects';
import { rulesOf } from '../rules';

/** In the order of namespace and name. */
export function listObjects(cluster: Cluster, kind: Kind, namespace?: string): KubeObject[] {
  if (kind.kind === 'Lease') return leases(cluster).filter((lease) => within(lease, namespace));
  if (kind.kind === 'EndpointSlice') return endpointSlices(cluster).filter((slice) => within(slice, namespace));
  return cluster.api.list(kind.kind, namespace);
}

export function getObject(cluster: Cluster, kind: Kind, name: string, namespace?: string): KubeObject | undefined {
  if (kind.kind !== 'Lease' && kind.kind !== 'EndpointSlice') return cluster.api.get(kind.kind, name, namespace);
  return listObjects(cluster, kind, namespace).find(({ metadata }) => metadata.name === name);
}

function within({ metadata }: KubeObject, namespace: string | undefined): boolean {
  return namespace === undefined || metadata.namespace === namespace;
}

/** A kubelet's heartbeat; stored, it would be a write per node and ten seconds. */
function leases({ api, model }: Cluster): KubeObject[] {
  return api.list<Node>('Node').map((node) => {
    const { name, creationTimestamp, uid } = node.metadata;
    const ready = condition(node, 'Ready');
    const renewed =
      ready?.status === 'True' ? timestamp(model.world.clock.now()) : (ready?.lastTransitionTime ?? creationTimestamp);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease', uid, creationTimestamp },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: renewed?.replace(/Z$/, '.000000Z') },
    };
  });
}

function endpointSlices(cluster: Cluster): KubeObject[] {
  return rulesOf(cluster)
    .services.filter(({ service }) => service.spec.selector)
    .map(({ service, endpoints }) => {
      const { name, namespace, uid = '', creationTimestamp } = service.metadata;
      const [first] = endpoints;
      return {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${uid.slice(0, 5)}`,
          namespace,
          uid,
          creationTimestamp,
          labels: { 'kubernetes.io/service-name': name },
          ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }],
        },
        addressType: 'IPv4',
        ports: first
          ? service.spec.ports.map((port) => ({
              name: port.name ?? '',
              protocol: port.protocol,
              port: targetPort(first.pod, port),
            }))
          : [],
        endpoints: endpoints.map(({ pod }) => ({
          addresses: pod.status?.podIP ? [pod.status.podIP] : [],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: pod.spec.nodeName,
          targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
        })),
      };
    });
}
