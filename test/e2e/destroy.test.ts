/** `npm run destroy`, against a cluster that runs. */
import { destroy, type Surroundings } from '../../tools/destroy';
import type { Target } from '../../tools/target';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { operator } from '../support/operator';

afterEach(closeAll);

/** A person who types this, and what was said to him. */
function person(typed: string) {
  const said: string[] = [];
  const rows: string[] = [];
  const removed: string[] = [];
  const surroundings: Surroundings = {
    say: (text) => said.push(text),
    ask: async (question) => {
      said.push(question);
      return typed;
    },
    screen: {
      show: (_rows, changed) =>
        rows.push(...changed.filter(({ state }) => state !== 'running').map(({ stage, text }) => `${stage}: ${text}`)),
      finish: () => rows.push('end'),
    },
    removeStack: async (stack) => {
      removed.push(stack);
      return 0;
    },
  };
  return { said, rows, removed, surroundings };
}

/** The tool as it sees an account. */
async function run(cluster: TestCluster, surroundings: Surroundings, options = {}, kind: Target['kind'] = 'account') {
  const { target, work } = operator(cluster);
  return work(destroy({ ...target, kind }, { confirmed: false, keepStack: false, ...options }, surroundings));
}

describe('destroying', () => {
  it('deletes the cluster, shows how far it is, and then removes the stack', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const { said, rows, removed, surroundings } = person('demo\n');
    expect(await run(cluster, surroundings)).toBe(0);
    expect(cluster.living).toEqual([]);
    expect(removed).toEqual(['k3s-demo']);
    expect(said).toEqual([
      'cluster demo · the embedded AWS',
      ...[0, 1, 2].map((slot) =>
        expect.stringMatching(new RegExp(`^ {2}server-${slot} i-\\w+ eu-west-3[abc] running$`)),
      ),
      '  to be deleted for good: 3 servers with all data, and the stack k3s-demo',
      'type demo to confirm: ',
      'the cluster is deleted',
    ]);
    expect(rows.filter((row) => row === 'retire: terminated and removed')).toHaveLength(3);
    expect(rows).toContain('delete: nothing is left');
    expect(rows.at(-1)).toBe('end');
    // What CloudFormation would ask first.
    await cluster.clock.until(cluster.aws.stack.requestDeletion());
  });

  it('changes nothing unless the cluster’s name is typed', async () => {
    const cluster = await bootTest({ healer: false });
    await cluster.create();
    cluster.calls.length = 0;
    const { removed, surroundings } = person('yes');
    await expect(run(cluster, surroundings)).rejects.toThrow('not confirmed: nothing was changed');
    expect(cluster.living).toHaveLength(3);
    expect(removed).toEqual([]);
    expect(cluster.calls.map(({ operation }) => operation)).toEqual(['GetFunction', 'DescribeInstances']);
  });

  it('leaves the stack when the workflow fails, and says why', async () => {
    const cluster = await bootTest({ healer: false });
    await cluster.create();
    cluster.aws.world.faults.onCall('ec2', 'TerminateInstances', {
      kind: 'error',
      code: 'OperationNotPermitted',
      message: 'termination protection is on',
      status: 400,
    });
    const { removed, surroundings } = person('demo');
    await expect(run(cluster, surroundings, { confirmed: true })).rejects.toThrow(
      /the delete workflow ended in FAILED: .*termination protection is on/s,
    );
    expect(removed).toEqual([]);
  });

  it('of an empty stack has only the stack to remove, which can be kept', async () => {
    const cluster = await bootTest({ healer: false });
    const kept = person('demo');
    expect(await run(cluster, kept.surroundings, { keepStack: true })).toBe(0);
    expect(kept.said).toContain('  to be deleted for good: no servers');
    expect(kept.removed).toEqual([]);
    const { removed, surroundings } = person('demo');
    expect(await run(cluster, surroundings)).toBe(0);
    expect(removed).toEqual(['k3s-demo']);
  });

  it('on the embedded AWS calls no CDK', async () => {
    const cluster = await bootTest({ healer: false });
    const { said, removed, surroundings } = person('demo');
    expect(await run(cluster, surroundings, {}, 'embedded')).toBe(0);
    expect(removed).toEqual([]);
    expect(said.at(-1)).toContain('npm run local');
  });
});
