/** The join token and the administrator's key stay on the servers, whatever happens to the cluster. */

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { SendCommandCommand } from '@aws-sdk/client-ssm';
import { call } from '../support/call';
import { bootTest, closeAll } from '../support/embedded';
import { leaks } from '../support/leaks';
import { kubeconfigOf, secretsOf } from '../support/secrets';
import { Overheard, surfaces } from '../support/surfaces';

afterEach(closeAll);

it('a cluster that is created, broken, healed and deleted shows its secrets nowhere', async () => {
  const cluster = await bootTest();
  const overheard = new Overheard(cluster.aws);
  expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
  const secrets = await secretsOf(cluster.aws);
  // The healer starts a repair, whose script fails and tells why.
  const denied = { kind: 'error', code: 'AccessDeniedException', message: 'no', status: 400 } as const;
  cluster.aws.world.faults.onCall('secretsmanager', 'GetSecretValue', denied);
  await cluster.terminate(cluster.server(1).instanceId);
  await cluster.becomes(() => cluster.state.executions.some(({ status }) => status === 'FAILED'));
  cluster.aws.world.faults.clear();
  expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { changed: true } });
  Object.assign(secrets, await secretsOf(cluster.aws));
  expect(Object.keys(secrets).filter((name) => /^client-key-data of i-[0-9a-f]+$/.test(name))).toHaveLength(4);
  expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });

  const places = await surfaces(cluster.aws, overheard, cluster);
  // Not with matchers that would print megabytes.
  expect(places['output of commands']?.includes('cannot read the join token')).toBe(true);
  expect(Object.entries(places).filter(([, text]) => !/[a-z0-9]/.test(text))).toEqual([]);
  expect(leaks(secrets, places)).toEqual([]);
});

describe('the search', () => {
  it('sees a token that got out by any door', async () => {
    const cluster = await bootTest({ healer: false });
    const overheard = new Overheard(cluster.aws);
    await cluster.create();
    const secrets = await secretsOf(cluster.aws);
    const [[name = '', token = ''] = []] = Object.entries(secrets);
    const { world, services } = cluster.aws;
    const { instanceId } = cluster.server(0);
    const shifted = Buffer.from(`a ${token}`).toString('base64');

    await cluster.run('cluster', { reason: token });
    await cluster.send(() =>
      cluster.ec2.send(new CreateTagsCommand({ Resources: [instanceId], Tags: [{ Key: 'note', Value: shifted }] })),
    );
    const command = { DocumentName: 'k3s-demo-ReportStatus', InstanceIds: [instanceId], Comment: token };
    await cluster.send(() => cluster.ssm.send(new SendCommandCommand(command)));
    const Item = { id: { S: 'note' }, text: { S: encodeURIComponent(token) } };
    await cluster.send(() => cluster.dynamodb.send(new PutItemCommand({ TableName: cluster.table, Item })));
    const entry = { Source: 'me', DetailType: 'Note', Detail: JSON.stringify({ token }) };
    await call(world, services.events, 'PutEvents', { Entries: [entry] });
    const { TopicArn } = cluster.aws.stack.outputs;
    await call(world, services.sns, 'Publish', { TopicArn, Message: Buffer.from(token).toString('base64') });
    services.logs.write('/aws/lambda/k3s-demo-notify', 'stream', `sent ${token}`);
    world.log('starting', { token });
    cluster.calls.push({
      at: 0,
      service: 's',
      operation: 'o',
      caller: 'c',
      accessKeyId: 'k',
      input: [token],
      error: undefined,
    });
    await cluster.pass(10);

    const kubeconfig = await kubeconfigOf(cluster.aws, instanceId);
    const found = leaks(secrets, {
      ...(await surfaces(cluster.aws, overheard, cluster)),
      'a kubeconfig': kubeconfig,
      'a kubeconfig in base64': Buffer.from(kubeconfig).toString('base64'),
    });
    expect(found).toContain(`client-key-data of ${instanceId} as it is: a kubeconfig`);
    expect(found).toContain(`client-key-data of ${instanceId} line 1 in base64 at 1: a kubeconfig`);
    expect(found).toContainEqual(expect.stringMatching(/^client-key-data of .* in base64 .*: a kubeconfig in base64$/));
    for (const place of [
      'input and output of executions',
      'history of executions',
      'parameters of commands',
      'instances, volumes, interfaces and their tags',
      'table',
      'events',
      'messages',
      'logs of functions and workflows',
      'what the run printed',
      'calls of AWS',
      'the page of the state',
    ]) {
      expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${name} .*: ${place}$`)));
    }
  });
});
