/** The echo image from its build to the load balancer's belief: what happens when one of the links is missing. */
import { discardAltered, withoutAction, withoutResource } from '../support/altered-assembly';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';

afterEach(closeAll);
afterAll(discardAltered);

/** Creates until the load balancer should have found every server healthy, and gives up. */
async function created(assembly: string): Promise<TestCluster> {
  const cluster = await bootTest({ assembly, healer: false });
  const execution = await cluster.start('cluster');
  await cluster.enters('AwaitTargets');
  await cluster.pass(300);
  await cluster.stop(execution);
  return cluster;
}

const healthy = (cluster: TestCluster) =>
  Object.fromEntries(cluster.state.targetGroups.map((group) => [group.port, group.healthy]));
const pulls = (cluster: TestCluster) => cluster.calls.filter(({ operation }) => operation === 'BatchGetImage');

it.each(['ecr:GetAuthorizationToken', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'])(
  'without %s for the servers nothing echoes, and they get no traffic',
  async (action) => {
    const cluster = await created(withoutAction('NodesRole', action));
    expect(new Set(cluster.expectedDenials().map((denial) => denial.action))).toEqual(new Set([action]));
    // The API does not depend on it.
    expect(healthy(cluster)).toEqual({ 80: 0, 443: 0, 6443: 3 });
  },
);

it('when the image was never built, every server asks for it in vain and again', async () => {
  const cluster = await created(withoutResource('EchoImageBuild'));
  expect(pulls(cluster).length).toBeGreaterThan(3 * 3);
  expect(healthy(cluster)).toEqual({ 80: 0, 443: 0, 6443: 3 });
});

it('a build that may not push fails the deployment, which says so', async () => {
  await expect(bootTest({ assembly: withoutAction('EchoImageRole', 'ecr:PutImage') })).rejects.toThrow(
    /the image's build \S+ ended with FAILED: BUILD: .*exit status 1/,
  );
});
