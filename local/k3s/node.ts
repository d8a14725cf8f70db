/** A server's Node object, as its kubelet and K3s' metadata controller write it. */
import type { Cluster } from './cluster';
import type { ServerConfig } from './config';
import { MEMBER_ADDRESS, MEMBER_NAME } from './controllers';
import { Node, timestamp, withCondition } from './objects';
import type { ServerProcess } from './server';

/** Registers the Node, or brings the one that exists up to date; it is not Ready before the kubelet says so. */
export function registerNode(cluster: Cluster, server: ServerProcess, config: ServerConfig, memberName: string): void {
  const { machine, nodeName, release } = server;
  const at = timestamp(machine.model.world.clock.now());
  const architecture = release.architecture;
  const labels = {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/instance-type': 'k3s',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'node-role.kubernetes.io/control-plane': 'true',
    'node-role.kubernetes.io/etcd': 'true',
    'node.kubernetes.io/instance-type': 'k3s',
    ...config.labels,
  };
  const annotations = {
    [MEMBER_NAME]: memberName,
    [MEMBER_ADDRESS]: machine.address,
    'k3s.io/hostname': nodeName,
    'k3s.io/internal-ip': machine.address,
  };
  const capacity = { cpu: '2', 'ephemeral-storage': '20Gi', memory: '4Gi', pods: '110' };
  const status = {
    // Of the smallest instance that K3s' documentation recommends for a server with pods; nothing is scheduled by it.
    capacity,
    allocatable: capacity,
    addresses: [
      { type: 'InternalIP', address: config.nodeIp ?? machine.address },
      { type: 'Hostname', address: nodeName },
    ],
    nodeInfo: {
      architecture,
      containerRuntimeVersion: 'containerd',
      kubeletVersion: release.version,
      operatingSystem: 'linux',
      osImage: 'Amazon Linux 2023',
    },
  };
  const existing = cluster.api.get('Node', nodeName);
  if (existing) {
    const node = Node.parse(existing);
    cluster.api.update({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, ...labels },
        annotations: { ...node.metadata.annotations, ...annotations },
      },
      status: { ...node.status, ...status },
    });
    return;
  }
  const notReady = {
    type: 'Ready',
    status: 'False' as const,
    reason: 'KubeletNotReady',
    message: 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady',
  };
  cluster.api.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels, annotations },
    spec: { providerID: `k3s://${nodeName}` },
    status: { ...status, conditions: withCondition(undefined, notReady, at) },
  });
}
