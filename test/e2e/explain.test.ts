/** The tools of an operator, against a cluster that runs: they read through the functions' own adapters. */
import { explain } from '../../tools/explain/explanation';
import { look, readConfiguration } from '../../tools/explain/look';
import { setPaused } from '../../tools/pause';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { operator } from '../support/operator';

/** Calls that read; SendCommand carries ReportStatus, which is checked. */
const READING = /^(Get|Describe|List|Scan|Query|SendCommand$)/;

async function explained(cluster: TestCluster) {
  const { target, work, calls } = operator(cluster);
  const found = await work(readConfiguration(target).then((env) => look(target, env)));
  return {
    found,
    calls,
    explanation: found && explain(found, { k3sVersion: found.observation.cluster.k3sVersion ?? '', manifests: null }),
  };
}

afterEach(closeAll);

describe('an operator', () => {
  it('is told what the healer would do, by reading alone', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const { explanation, calls } = await explained(cluster);
    expect(explanation).toMatchObject({ whole: true, lease: null, blind: [] });
    expect(
      explanation?.servers.map(({ slot, ready, etcdVoter, answered }) => [slot, ready, etcdVoter, answered]),
    ).toEqual([
      [0, true, true, true],
      [1, true, true, true],
      [2, true, true, true],
    ]);
    expect(calls().map(({ operation }) => operation)).toContain('SendCommand');
    for (const { operation, input } of calls()) {
      expect(operation).toMatch(READING);
      if (operation === 'SendCommand') expect(input).toMatchObject({ DocumentName: 'k3s-demo-ReportStatus' });
    }
  });

  it('is told that there is no cluster before anybody has asked for one', async () => {
    expect((await explained(await bootTest())).found).toBeNull();
  });

  it('pauses healing, which leaves a dead server unrepaired and says so', async () => {
    const cluster = await bootTest();
    await cluster.create();
    const first = operator(cluster);
    expect(await first.work(setPaused(first.target, true))).toMatch(/^healing of cluster demo is paused · /);
    await cluster.terminate(cluster.servers[1]?.instanceId ?? '');
    await cluster.clock.advance(180_000);
    expect(cluster.living).toHaveLength(2);
    expect((await explained(cluster)).explanation).toMatchObject({
      paused: true,
      verdict: { action: 'refuse', concern: { code: 'paused', slot: 1 } },
    });
    const again = operator(cluster);
    expect(await again.work(setPaused(again.target, false))).toMatch(/^healing of cluster demo is on · /);
    await cluster.becomes(() => cluster.living.length === 3 && cluster.servers.every(({ etcdVoter }) => etcdVoter));
  });

  it('cannot pause what was never created', async () => {
    const { target, work } = operator(await bootTest());
    await expect(work(setPaused(target, true))).rejects.toThrow('was never created');
  });
});
