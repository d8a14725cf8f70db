/** What is true of a cluster at this instant, whatever its API would say: for those who judge what others do. */
import type { Cluster } from './cluster';

export interface CensusMember {
  id: string;
  /** Its Node's name and a random suffix; empty until its etcd ran for the first time. */
  name: string;
  address: string;
  learner: boolean;
  /** Its etcd runs, on a machine that is on and does not hang. */
  running: boolean;
  /** Besides, it reaches a leader with a quorum, its API server works and its kubelet reports. */
  serving: boolean;
}

export interface ClusterCensus {
  uuid: string;
  caHash: string;
  /** Member id of the leader that has a quorum; undefined while nobody could write. */
  leader: string | undefined;
  members: CensusMember[];
  /** Names of its Nodes. */
  nodes: string[];
}

export function census(cluster: Cluster): ClusterCensus {
  const { uuid, etcd, servers, api } = cluster;
  const members = etcd.members.map(({ id, name, address, learner }): CensusMember => {
    const server = servers.get(id);
    const running = server?.machine.alive() ?? false;
    return {
      id,
      name,
      address,
      learner,
      running,
      serving: running && server?.kubeletReady === true && cluster.serves(server),
    };
  });
  const nodes = api.list('Node').map(({ metadata }) => metadata.name);
  return { uuid, caHash: cluster.caHash, leader: etcd.writable ? etcd.leader : undefined, members, nodes };
}
