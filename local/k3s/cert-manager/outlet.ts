/** What cert-manager's controller reaches outside of the cluster, as NetworkPolicies let it. */
import type { Cluster } from '../cluster';
import { condition, type Pod } from '../objects';
import { rulesOf } from '../rules';

/** One of Let's Encrypt's addresses, for messages. */
const ADDRESS = '172.65.32.248';

/** Why a request to a host on the Internet fails; undefined when nothing is in its way. */
export function obstacle(cluster: Cluster, host: string, port: number): string | undefined {
  const { policies } = rulesOf(cluster);
  const pods = cluster.api.list<Pod>('Pod').filter(({ status, metadata }) => {
    return !metadata.deletionTimestamp && condition({ status }, 'Ready')?.status === 'True';
  });
  const own = pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'controller');
  const dns = pods.filter(({ metadata }) => metadata.labels?.['k8s-app'] === 'kube-dns');
  if (!own.some((pod) => dns.some((server) => policies.permits({ pod }, { pod: server }, 53, 'UDP')))) {
    return `dial tcp: lookup ${host} on 10.43.0.10:53: read udp 10.43.0.10:53: i/o timeout`;
  }
  const open = own.some((pod) => policies.permits({ pod }, 'internet', port));
  return open ? undefined : `dial tcp ${ADDRESS}:${port}: i/o timeout`;
}
