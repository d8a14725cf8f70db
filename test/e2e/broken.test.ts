/** Proof that the artifacts that are deployed are the ones that run: whichever of them is broken, the failure names it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerRuntime } from '../../local/aws/lambda';
import type { EmbeddedOptions } from '../../local/embedded';
import { steps } from '../../tools/bundle';
import { discardAltered, withBundle, withScript, withUserData } from '../support/altered-assembly';
import { bootTest, closeAll, type Ended, type TestCluster } from '../support/embedded';
import { expectHealthy } from '../support/expectations';
import { InProcessRuntime } from '../support/in-process-runtime';
import { statesThatCall } from '../support/workflow-states';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'k3s-ha-e2e-'));
});
afterEach(closeAll);
afterAll(() => {
  rmSync(directory, { recursive: true });
  discardAltered();
});

/**
 * Deletes what does not exist, creates, and replaces a server that was terminated: reaches every script and every bundle.
 * The end of the first of these that fails, or of the last.
 */
async function liveThrough(cluster: TestCluster): Promise<Ended> {
  const deleted = await cluster.delete();
  if (deleted.status !== 'SUCCEEDED') return deleted;
  const created = await cluster.create();
  if (created.status !== 'SUCCEEDED') return created;
  await cluster.terminate(cluster.server(2).instanceId);
  return cluster.create();
}

describe('the node scripts, run with bash', () => {
  it('carry a cluster through creation and replacement', async () => {
    const cluster = await bootTest({ directory, healer: false });
    expect(await liveThrough(cluster)).toMatchObject({ status: 'SUCCEEDED', output: { changed: true } });
    expectHealthy(cluster);
  });

  it.each(['StartServer', 'ReportStatus', 'RemoveMember', 'ApplyManifests'])(
    'fail the execution by name when %s is replaced by exit 1',
    async (command) => {
      const cluster = await bootTest({
        healer: false,
        directory,
        assembly: withScript(command, '#!/bin/bash\nexit 1'),
      });
      const { status, cause } = await liveThrough(cluster);
      expect(status).toBe('FAILED');
      expect(cause).toMatch(new RegExp(`${command} on i-[0-9a-f]{17} exited 1`));
    },
  );

  it('fail the execution by name when user data is replaced by exit 1', async () => {
    const cluster = await bootTest({ healer: false, directory, assembly: withUserData('#!/bin/bash\nexit 1') });
    // So that fewer attempts, each of which takes real time, fit into the time that is waited for user data.
    cluster.slow('ssm.completion', 30);
    const { status, cause } = await liveThrough(cluster);
    expect(status).toBe('FAILED');
    expect(cause).toMatch(/user data/);
  });
});

describe('the bundles', () => {
  /** One function from its bundle, the others in process. */
  const deployed =
    (step: string): NonNullable<EmbeddedOptions['runtime']> =>
    (surroundings) => {
      const workers = new WorkerRuntime();
      const others = new InProcessRuntime(surroundings);
      return {
        start: (spec) => (spec.functionName === `k3s-demo-${step}` ? workers : others).start(spec),
      };
    };

  // That nobody could be told is no failure of the cluster.
  const required = steps().filter((step) => statesThatCall(step).length > 0 && step !== 'publish-event');

  it.each(required)('fail the execution by name when the one of %s is replaced by a throw', async (step) => {
    const assembly = withBundle(step, `throw new Error('broken on purpose');`);
    const cluster = await bootTest({ healer: false, assembly, runtime: deployed(step) });
    const { status, error, cause } = await liveThrough(cluster);
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Error' });
    expect(cause).toContain('broken on purpose');
    expect(statesThatCall(step).filter((state) => cause?.includes(state))).not.toEqual([]);
  });

  it('fail the deployment by name when the one of guard-deletion is replaced by a throw', async () => {
    const assembly = withBundle('guard-deletion', `throw new Error('broken on purpose');`);
    await expect(bootTest({ healer: false, assembly, runtime: deployed('guard-deletion') })).rejects.toThrow(
      /GuardDeletion.*broken on purpose/,
    );
  });
});
