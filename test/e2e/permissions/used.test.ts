/** Nothing is granted in vain: what a cluster's life and its accidents never use, no role may do. */
import type { Grant } from '../../../local/aws/iam';
import { call } from '../../support/call';
import { bootTest, closeAll, type TestCluster, type TestOptions } from '../../support/embedded';

/** What is not used here, and why it is granted all the same. */
const UNUSED: Readonly<Record<string, string>> = {
  // docker/cli, cli/registry/client/fetcher.go
  'EchoImageRole ecr:GetDownloadUrlForLayer':
    'docker manifest inspect also reads the configuration of an image that is there',
  ...Object.fromEntries(
    ['s3:GetBucketAcl', 's3:GetBucketLocation', 's3:GetObjectVersion'].map((action) => [
      `EchoImageRole ${action}`,
      'CodeBuild documents that its role needs it, not when it is asked for (setting-up-service-role.html)',
    ]),
  ),
  'NodesRole ssmmessages:CreateDataChannel': "an operator's session (npm run kubeconfig); sessions are not modelled",
  'NodesRole ssmmessages:OpenDataChannel': "an operator's session (npm run kubeconfig); sessions are not modelled",
};

/** The same element of the same statement in every boot, whatever the ids in its resource. */
const used = new Map<string, Grant & { key: string }>();

function remember(cluster: TestCluster): void {
  const seen = new Map<string, number>();
  for (const grant of cluster.aws.services.iam.grants()) {
    const element = `${grant.logicalId} ${grant.statement} ${grant.action}`;
    const nth = seen.get(element) ?? 0;
    seen.set(element, nth + 1);
    const key = `${element} ${nth}`;
    if (grant.used || !used.has(key)) used.set(key, { ...grant, key });
  }
}

/** Something that happens to a cluster, whose calls count. */
function accident(name: string, happens: (cluster: TestCluster) => Promise<void>, options: TestOptions = {}): void {
  it(name, async () => {
    const cluster = await bootTest({ healer: false, ...options });
    await happens(cluster);
    remember(cluster);
  });
}

/** Stops an execution so many seconds after it has entered a state. */
async function stopIn(cluster: TestCluster, state: string, seconds: number): Promise<void> {
  const execution = await cluster.start('cluster');
  await cluster.enters(state);
  await cluster.pass(seconds);
  await cluster.stop(execution);
}

/** A person edits an item of the table in the console. */
async function write({ aws, table }: TestCluster, id: string, expression: string, values?: object): Promise<void> {
  await call(aws.world, aws.services.dynamodb, 'UpdateItem', {
    TableName: table,
    Key: { id: { S: id } },
    UpdateExpression: expression,
    ExpressionAttributeValues: values,
  });
}

afterEach(closeAll);

describe('the permissions are used by', () => {
  accident(
    'a life: creation, a death while healing is paused, its repair, a deletion',
    async (cluster) => {
      await cluster.create();
      await write(cluster, 'cluster', 'SET paused = :paused', { ':paused': { BOOL: true } });
      await cluster.terminate(cluster.server(2).instanceId);
      await cluster.pass(200);
      await write(cluster, 'cluster', 'SET paused = :paused', { ':paused': { BOOL: false } });
      await cluster.becomes(() =>
        [0, 1, 2].every((slot) => cluster.servers.some((server) => server.slot === slot && server.etcdVoter)),
      );
      await cluster.pass(200);
      expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
      await cluster.clock.until(cluster.aws.stack.requestDeletion());
    },
    { healer: true },
  );

  accident('a zone without capacity', async (cluster) => {
    const { world, services } = cluster.aws;
    services.ec2.setCapacity(world.zones[1]!, '*', false);
    expect(await cluster.create()).toMatchObject({ status: 'FAILED' });
  });

  accident('a launch whose answers are lost', async (cluster) => {
    cluster.aws.world.faults.onCall('ec2', 'RunInstances', { kind: 'lost-reply' }, { times: 9 });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
  });

  accident('servers that die before they join', async (cluster) => {
    const creation = await cluster.start('cluster');
    await cluster.enters('StartServer');
    await cluster.terminate(
      ...cluster.servers.filter(({ etcdVoter }) => !etcdVoter).map(({ instanceId }) => instanceId),
    );
    await cluster.ended(creation);
  });

  accident('an execution that is stopped while a command runs', async (cluster) => {
    // Longer than a lease is waited for.
    cluster.slow('k3s.start-first', 130);
    await stopIn(cluster, 'CheckStartServerInit', 20);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
  });

  accident('a first server that is terminated while it initialises', async (cluster) => {
    await stopIn(cluster, 'CheckStartServerInit', 2);
    await cluster.terminate(...cluster.launched.map(({ instanceId }) => instanceId));
    await cluster.pass(120);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
  });

  accident('an execution that fails while a command runs', async (cluster) => {
    const refusal = { kind: 'error', code: 'InvalidPluginName', message: 'no such step', status: 400 } as const;
    cluster.aws.world.faults.onCall('ssm', 'GetCommandInvocation', refusal, { times: 1 });
    expect(await cluster.create()).toMatchObject({ status: 'FAILED' });
  });

  accident('a deletion that is stopped half-way', async (cluster) => {
    await cluster.create();
    const deletion = await cluster.start('delete', { confirm: 'demo' });
    await cluster.enters('AwaitTerminated', 2);
    await cluster.stop(deletion);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
  });

  accident('a server that EC2 has forgotten when the cluster is deleted', async (cluster) => {
    await cluster.create();
    await cluster.terminate(cluster.server(0).instanceId);
    await cluster.pass(2 * 3600);
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('a lease that is lost while a command is sent', async () => {
    let stolen = false;
    const cluster: TestCluster = await bootTest({
      healer: false,
      observe: ({ operation, caller, error }) => {
        if (stolen || operation !== 'SendCommand' || caller !== 'k3s-demo-send-command' || error) return;
        stolen = true;
        void write(cluster, 'lease', 'REMOVE holder');
      },
    });
    expect(await cluster.create()).toMatchObject({ status: 'FAILED', error: 'LeaseLost' });
    remember(cluster);
  });
});

it('nothing else is granted than what was used, but for what has a reason', () => {
  const unused = [...used.values()].filter((grant) => !grant.used);
  const named = unused.map(({ logicalId, action }) => `${logicalId.replace(/[0-9A-F]{8}$/, '')} ${action}`);
  // Each with its statement and resource, should there be one too many.
  const report = unused.map(({ logicalId, statement, action, resource }) => ({
    logicalId,
    statement,
    action,
    resource,
  }));
  expect({ unused: [...new Set(named)].sort(), report }).toEqual({ unused: Object.keys(UNUSED).sort(), report });
});
