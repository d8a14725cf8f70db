import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendCommandCommand } from '@aws-sdk/client-ssm';
import { Journal } from '../../local/k3s/journal';
import { discardAltered, withScript } from '../support/altered-assembly';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { expectHealthy, expectNoDuplicate } from '../support/expectations';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'k3s-ha-e2e-'));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await closeAll();
});
afterAll(() => {
  rmSync(directory, { recursive: true });
  discardAltered();
});

const denied = { kind: 'error', code: 'AccessDeniedException', message: 'not authorized', status: 400 } as const;
const forbidden = { kind: 'error', code: 'AccessDenied', message: 'Access Denied', status: 403 } as const;

/** Instances that were told to start K3s, as often as they were. */
function starts(cluster: TestCluster): string[] {
  return cluster.calls
    .filter(({ operation, error }) => operation === 'SendCommand' && error === undefined)
    .map(({ input }) => JSON.stringify(input))
    .filter((input) => input.includes('k3s-demo-StartServer'))
    .flatMap((input) => /i-[0-9a-f]{17}/.exec(input) ?? []);
}

const started = (cluster: TestCluster) => [...new Set(starts(cluster))];

describe('a script that fails for good', () => {
  it('while it initialises ends the execution with what the script said, at once', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall('secretsmanager', 'GetSecretValue', denied);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ScriptFailed' });
    expect(cause).toMatch(
      /^StartAndRegister: server-[012] i-[0-9a-f]+: CheckStartServerInit: StartServer on i-[0-9a-f]+ exited 1: /,
    );
    expect(cause).toContain('cannot read the join token');
    expect(started(cluster)).toHaveLength(1);
    expect((await cluster.item('lease'))?.holder).toBeUndefined();
  });

  it('while it joins ends the execution naming that server, and the next execution goes on from there', async () => {
    const cluster = await bootTest({ healer: false });
    const creation = await cluster.start('cluster');
    await cluster.enters('JoinServers');
    cluster.aws.world.faults.onCall('secretsmanager', 'GetSecretValue', denied);
    const { status, error, cause } = await cluster.ended(creation);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ScriptFailed' });
    expect(cause).toMatch(/^StartAndRegister: server-[012] i-[0-9a-f]+: CheckStartServer: StartServer on i-/);
    cluster.aws.world.faults.clear();
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });

  it('while it applies ends the execution, and the next one applies', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall('s3', '*', forbidden);
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ScriptFailed' });
    expect(cause).toMatch(/ApplyManifests on i-[0-9a-f]+ exited 1: .*Forbidden/s);
    cluster.aws.world.faults.clear();
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    expectNoDuplicate(cluster);
  });
});

describe('a script whose time has not come', () => {
  it('is sent again until it has', async () => {
    const cluster = await bootTest({ healer: false });
    // Three attempts of the CLI are one of the script.
    cluster.aws.world.faults.onCall('secretsmanager', 'GetSecretValue', { kind: 'throttle' }, { times: 7 });
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
    // Twice more than there are servers, at least: the first may also have come before user data had finished.
    expect(starts(cluster).length).toBeGreaterThanOrEqual(5);
  });

  it('for ever fails the execution with what the script said last', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.aws.world.faults.onCall('secretsmanager', 'GetSecretValue', { kind: 'throttle' });
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'TryAgain' });
    expect(cause).toContain('cannot read the join token');
    expect(await cluster.delete()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('because K3s needs longer than a script may wait is sent again', async () => {
    const cluster = await bootTest({ healer: false });
    cluster.slow('k3s.join', 160);
    expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expectHealthy(cluster);
  });
});

describe('too many learner members', () => {
  it('are waited for: of two servers that join at the same time, the refused one joins after the other', async () => {
    const cluster = await bootTest({ healer: false });
    // Long enough for the other to find a learner there.
    cluster.slow('k3s.learner-catch-up', 20);
    const creation = await cluster.start('cluster');
    await cluster.enters('CheckStartServer');
    const journal = jest.spyOn(Journal.prototype, 'k3s');
    const record = await cluster.item('cluster');
    const first = await cluster.initialiser();
    const other = cluster.servers.filter(({ instanceId }) => instanceId !== first.instanceId).at(-1);
    // Somebody joins another server by hand, at the same time as the workflow joins its own.
    await cluster.send(() =>
      cluster.ssm.send(
        new SendCommandCommand({
          DocumentName: 'k3s-demo-StartServer',
          InstanceIds: [other?.instanceId ?? ''],
          Parameters: {
            mode: ['join'],
            peerAddress: [first.privateIp],
            caHash: [record?.caHash?.S ?? ''],
          },
        }),
      ),
    );
    expect(await cluster.ended(creation)).toMatchObject({ status: 'SUCCEEDED' });
    expectHealthy(cluster);
    const refusal = expect.stringContaining('too many learner members in cluster');
    expect(journal).toHaveBeenCalledWith('fatal', refusal);
  });
});

describe('output that is not what a script promises', () => {
  it.each([
    ['nothing', 'exit 0', 'not JSON: it is empty'],
    ['text', 'echo done', 'not JSON: done'],
    ['a field of another type', `echo '{"ready":"yes","voter":true,"caHash":"","k3sVersion":"v1"}'`, 'ready: '],
    [
      'a field too many',
      `echo '{"ready":true,"voter":true,"caHash":"${'0'.repeat(64)}","k3sVersion":"v1","x":1}'`,
      'x: ',
    ],
  ])('but %s ends the execution, saying so', async (_, script, message) => {
    const cluster = await bootTest({
      healer: false,
      directory,
      assembly: withScript('StartServer', `#!/bin/bash\n${script}`),
    });
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidScriptOutput' });
    expect(cause).toMatch(/StartServer on i-[0-9a-f]+ succeeded, but /);
    expect(cause).toContain(message);
  });

  it('but a report without sense never counts as health', async () => {
    const cluster = await bootTest({
      directory,
      assembly: withScript('ReportStatus', `#!/bin/bash\necho '{"k3s":"fine"}'`),
    });
    const { status, error, cause } = await cluster.create();
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'NotConverged' });
    expect(cause).toMatch(/ReportStatus on i-[0-9a-f]+ printed no report: k3s: /);
  });
});
