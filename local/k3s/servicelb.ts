/** K3s' ServiceLB: a DaemonSet of port forwarders for every LoadBalancer service (k3s pkg/cloudprovider/servicelb.go). */
import type { Api } from './api';
import type { Cluster } from './cluster';
import type { Ingress, Node, Service } from './objects';
import { BALANCER_NAMESPACE, BALANCER_SERVICE } from './rules';

const IMAGE = 'rancher/klipper-lb';

export function balanceServices({ api, identity }: Cluster): void {
  if (identity.critical.disable?.split(',').includes('servicelb')) return;
  const addresses = api
    .list<Node>('Node')
    .flatMap(({ status }) => status.addresses?.filter(({ type }) => type === 'InternalIP') ?? [])
    .map(({ address }) => ({ ip: address }));
  for (const service of api.list<Service>('Service')) {
    if (service.spec.type !== 'LoadBalancer' || !service.metadata.uid) continue;
    const { name, namespace, uid } = service.metadata;
    const labels = {
      app: `svclb-${name}-${uid.slice(0, 8)}`,
      [BALANCER_SERVICE]: name,
      [BALANCER_NAMESPACE]: namespace ?? '',
    };
    if (!api.get('DaemonSet', labels.app, 'kube-system')) {
      api.create({
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: labels.app, namespace: 'kube-system', labels },
        spec: {
          selector: { matchLabels: { app: labels.app } },
          template: {
            metadata: { labels },
            spec: {
              containers: service.spec.ports.map(({ port, protocol }) => ({
                name: `lb-${protocol.toLowerCase()}-${port}`,
                image: IMAGE,
                ports: [{ name: `lb-${protocol.toLowerCase()}-${port}`, containerPort: port, hostPort: port }],
              })),
              tolerations: [
                { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
                { key: 'CriticalAddonsOnly', operator: 'Exists' },
              ],
            },
          },
        },
      });
    }
    api.update({ ...service, status: { loadBalancer: { ingress: addresses } } });
  }
}

/** Traefik tells the addresses of its own Service as those of every Ingress it serves. */
export function publishAddresses(api: Api): void {
  const traefik = api.get('Service', 'traefik', 'kube-system');
  if (!traefik?.status) return;
  for (const ingress of api.list<Ingress>('Ingress')) {
    if (ingress.spec.ingressClassName !== undefined && ingress.spec.ingressClassName !== 'traefik') continue;
    api.update({ ...ingress, status: traefik.status });
  }
}
