/** The cluster as people and tests look at it: one document, put together from EC2, the load balancer and K3s. */
import type { TargetGroupSummary } from './aws/elbv2';
import type { K3s, K3sState } from './k3s';
import type { Services } from './services';

/** One server that is meant to serve: terminated ones are history. */
export interface ServerState {
  instanceId: string;
  /** Null: the instance has no slot's tag. */
  slot: number | null;
  availabilityZone: string;
  privateIp: string;
  /** EC2's word. */
  state: string;
  ready: boolean;
  etcdVoter: boolean;
}

export interface ClusterState {
  /** AWS time, ISO 8601. */
  at: string;
  servers: ServerState[];
  targetGroups: {
    name: string;
    port: number;
    healthy: number;
    unhealthy: number;
    targets: TargetGroupSummary['targets'];
  }[];
  /** Of etcd, as its leader knows them. */
  members: K3sState['members'];
  nodes: K3sState['nodes'];
  pods: K3sState['pods'];
  instances: { instanceId: string; state: string; availabilityZone: string; tags: Record<string, string> }[];
  executions: { name: string; arn: string; status: string; error?: string; cause?: string }[];
  /** Where each listener of the load balancer is reached, by its port. */
  urls: Record<string, string>;
}

/** What happened to be true at one instant; no call, no latency, no permission. */
export function describeCluster({ ec2, elbv2, states }: Services, k3s: K3s, now: number): ClusterState {
  const cluster = k3s.state();
  const instances = ec2.instances();
  const servers = instances
    .filter(({ state }) => state !== 'terminated' && state !== 'shutting-down')
    .map(({ instanceId, tags, zone, privateIp, state }): ServerState => {
      const node = cluster.nodes.find(({ name }) => name === instanceId);
      const member = cluster.members.find(({ address }) => address === privateIp);
      const slot = tags.get('k3s:slot');
      return {
        instanceId,
        slot: slot === undefined ? null : Number(slot),
        availabilityZone: zone,
        privateIp,
        state,
        ready: state === 'running' && node?.ready === 'True' && !node.deleting,
        etcdVoter: member !== undefined && !member.learner,
      };
    })
    .sort((a, b) => (a.slot ?? Number.POSITIVE_INFINITY) - (b.slot ?? Number.POSITIVE_INFINITY));
  return {
    at: new Date(now).toISOString(),
    servers,
    targetGroups: elbv2
      .targetGroups()
      .map(({ name, port, healthy, unhealthy, targets }) => ({ name, port, healthy, unhealthy, targets })),
    members: cluster.members,
    nodes: cluster.nodes,
    pods: cluster.pods,
    instances: instances.map(({ instanceId, state, zone, tags }) => ({
      instanceId,
      state,
      availabilityZone: zone,
      tags: Object.fromEntries(tags),
    })),
    executions: states.listExecutions().map(({ name, arn, status, error, cause }) => ({
      name,
      arn,
      status,
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    })),
    urls: Object.fromEntries(elbv2.urls()),
  };
}

/** A message as its subscribers got it. */
export interface InboxMessage {
  subject: string | null;
  message: string;
  /** AWS time, ISO 8601. */
  at: string;
}

/** Everything that SNS delivered, oldest first. */
export function inbox({ sns }: Services): InboxMessage[] {
  return sns.inbox.map(({ subject = null, message, at }) => ({ subject, message, at: new Date(at).toISOString() }));
}
