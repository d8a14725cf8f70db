/** Through which server a person goes. */
import { Instances } from '../../functions/aws/instances';
import { Targets } from '../../functions/aws/targets';
import { UsageError } from '../arguments';
import { readConfiguration } from '../explain/look';
import { ToolError } from '../run';
import type { Target } from '../target';

export interface Server {
  cluster: string;
  instanceId: string;
  /** `server-1`. */
  name: string;
  availabilityZone: string | null;
  privateIp: string;
  /** What the load balancer finds of its API. */
  health: string;
}

/**
 * A server whose API the load balancer finds healthy, or the one that a person names.
 * @param wanted `server-1` or an instance id
 * @throws ToolError when none is healthy, UsageError when there is no such server
 */
export async function findServer(target: Target, wanted: string | undefined): Promise<Server> {
  const { CLUSTER, TARGET_GROUPS } = await readConfiguration(target);
  const [machines, health] = await Promise.all([
    new Instances(target.client, CLUSTER).byTag(),
    new Targets(target.client, TARGET_GROUPS).health('api'),
  ]);
  const servers = machines
    .flatMap(({ instanceId, state, tags, availabilityZone, privateIp }): Server[] => {
      if (state !== 'running' || privateIp === null) return [];
      const name = tags ? `server-${tags.slot}` : instanceId;
      const found = health.get(instanceId) ?? 'not registered';
      return [{ cluster: CLUSTER, instanceId, name, availabilityZone, privateIp, health: found }];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  if (wanted !== undefined) {
    const named = servers.find(({ name, instanceId }) => name === wanted || instanceId === wanted);
    if (named) return named;
    throw new UsageError(`--server ${wanted} is not running; running are: ${listed(servers)}`);
  }
  const healthy = servers.find((server) => server.health === 'healthy');
  if (healthy) return healthy;
  throw new ToolError(
    servers.length === 0
      ? `cluster ${CLUSTER} has no running server (${target.description})`
      : `no server of cluster ${CLUSTER} has a healthy API: ${listed(servers)}; "npm run explain" says what is being done, --server takes one anyway`,
  );
}

function listed(servers: readonly Server[]): string {
  return servers.map(({ name, instanceId, health }) => `${name} (${instanceId}, ${health})`).join(', ') || 'none';
}
