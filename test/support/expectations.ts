import type { TestCluster } from './embedded';

/** The operations by which functions and nodes change something. */
export const MUTATIONS: ReadonlySet<string> = new Set([
  'RunInstances',
  'TerminateInstances',
  'CreateTags',
  'SendCommand',
  'CancelCommand',
  'RegisterTargets',
  'DeregisterTargets',
  'UpdateItem',
  'PutItem',
  'DeleteItem',
  'TransactWriteItems',
]);

/** Three servers, Ready, voters, and each of them healthy in every target group; nobody else. */
export function expectHealthy(cluster: TestCluster): void {
  const { servers, targetGroups, members, nodes } = cluster.state;
  expect(servers).toEqual(
    [0, 1, 2].map((slot) => expect.objectContaining({ slot, state: 'running', ready: true, etcdVoter: true })),
  );
  expect(targetGroups.map(({ name, healthy, unhealthy }) => ({ name, healthy, unhealthy }))).toEqual(
    ['k3s-demo-http', 'k3s-demo-https', 'k3s-demo-api'].map((name) => ({ name, healthy: 3, unhealthy: 0 })),
  );
  expect(members).toHaveLength(3);
  expect(nodes).toHaveLength(3);
}

/** No instance was launched in vain: as many as there are servers. */
export function expectNoDuplicate(cluster: TestCluster): void {
  expect(cluster.state.instances).toHaveLength(cluster.servers.length);
}
