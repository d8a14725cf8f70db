/** What becomes of a server that fails, and of the one that is to take its place. */
import { closeAll } from '../../support/embedded';
import { after, createdCluster } from './healing';

afterEach(closeAll);

const REPLACED = /^\[demo\] server-1 replaced in \d+ s$/;

describe('a server', () => {
  it.each([
    ['is terminated', 'terminate', 'is shutting-down'],
    ['is stopped', 'stop', 'is stopped for'],
    ['hangs while EC2 says that it runs', 'hang', 'has API target unhealthy and Node not Ready for'],
    [
      'runs containers while its K3s crashes again and again',
      'k3s-crash',
      'has API target unhealthy and Node not Ready',
    ],
  ] as const)('that %s is replaced, and people are told once', async (_, kind, reason) => {
    const trial = await createdCluster();
    await trial.inject({ kind, slot: 1 });
    await trial.healed([1]);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
    expect(trial.messages[0]).toContain(reason);
    // Two alarms a second apart start two executions: the second meets the first and leaves it alone.
    const atWork = trial.repairs.filter(({ output }) => !output?.includes('"status":"held"'));
    expect(atWork.map(({ status }) => status)).toEqual(['SUCCEEDED']);
  });

  it('that leads etcd is replaced through a survivor', async () => {
    const trial = await createdCluster();
    const { members } = trial.cluster.state;
    const leader = members.find((member) => member.leader);
    const slot = trial.cluster.servers.find(({ privateIp }) => privateIp === leader?.address)?.slot ?? Number.NaN;
    await trial.inject({ kind: 'terminate', slot });
    await trial.healed([slot]);
    expect(trial.subjects).toEqual([expect.stringMatching(`^\\[demo\\] server-${slot} replaced in \\d+ s$`)]);
  });

  it('that only lost its SSM agent is not replaced: people are told, once, and again when the agent is back', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'agent-lost', slot: 1 });
    await trial.cluster.pass(1800);
    expect(trial.cluster.launched).toHaveLength(3);
    expect(trial.subjects).toEqual(['[demo] degraded: server-1 SSM agent lost']);
    expect(trial.messages[0]).toMatch(/^What to do: +Restart the SSM agent/m);
    await trial.heal();
    await trial.cluster.pass(120);
    await trial.healed([]);
    expect(trial.subjects).toEqual([expect.anything(), '[demo] cluster ready: 3 servers in service']);
  });

  it('that recovers within the dwell is not replaced', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'k3s-crash', slot: 1 });
    await trial.cluster.pass(100);
    await trial.heal();
    await trial.healed([]);
    expect(trial.spares).toBeLessThanOrEqual(1);
  });
});

describe('a successor that dies while it joins', () => {
  it('before its member was added is replaced as well', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.cluster.enters('CheckStartServer');
    expect(trial.cluster.state.members).toHaveLength(2);
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.healed([1]);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
  });

  it('after its member was added leaves no member behind', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'terminate', slot: 1 });
    const isJoining = () => trial.cluster.state.members.some(({ learner }) => learner);
    await after(trial, isJoining);
    await trial.inject({ kind: 'terminate', slot: 1 });
    await trial.healed([1]);
    expect(trial.subjects).toEqual([expect.stringMatching(REPLACED)]);
  });
});

describe('a slot whose new instances do not come up', () => {
  it('is filled when they do, and people are told of both', async () => {
    const trial = await createdCluster();
    await trial.inject({ kind: 'never-boots', slot: 1 }, { kind: 'terminate', slot: 1 });
    await trial.cluster.pass(1500);
    // One of them may just be ended, and its successor not yet launched.
    expect([2, 3]).toContain(trial.cluster.living.length);
    expect(trial.subjects).toEqual(['[demo] not converged: StartAndRegister failed with AgentOffline']);
    await trial.heal();
    await trial.healed([1], 1800);
    expect(trial.subjects.slice(1)).toEqual([expect.stringMatching(REPLACED)]);
  });
});

describe('an availability zone that is cut off', () => {
  const ZONE = { kind: 'partition', availabilityZone: 'eu-west-3b' } as const;

  it('for a minute costs no server', async () => {
    const trial = await createdCluster();
    await trial.inject(ZONE);
    await trial.cluster.pass(60);
    await trial.heal();
    await trial.cluster.pass(360);
    await trial.healed([]);
    expect(trial.spares).toBeLessThanOrEqual(1);
  });

  it('for longer has its server back when it is healed, without anybody’s doing', async () => {
    const trial = await createdCluster();
    await trial.inject(ZONE);
    await trial.cluster.pass(1300);
    expect(trial.cluster.servers.filter(({ ready, etcdVoter }) => ready && etcdVoter)).toHaveLength(2);
    await trial.heal();
    await trial.healed([1], 3600);
    expect(trial.subjects.at(-1)).toMatch(REPLACED);
    expect(new Set(trial.subjects).size).toBe(trial.subjects.length);
  });
});

describe('two servers that are sick at once', () => {
  it.each(['k3s-crash', 'stop'] as const)('by %s are left alone, and people are told once', async (kind) => {
    const trial = await createdCluster();
    await trial.inject({ kind, slot: 1 }, { kind, slot: 2 });
    await trial.cluster.pass(1500);
    expect(trial.terminated).toEqual([]);
    expect(trial.cluster.living).toHaveLength(3);
    expect(trial.subjects).toEqual(['[demo] degraded: the majority may be lost']);
    // At each new sign of it, and then every ten minutes: nothing of what is seen changes any more.
    expect(trial.repairs.length).toBeLessThanOrEqual(3 + 2);
    await trial.heal();
    await trial.powerOn();
    await after(trial, () => trial.subjects.at(-1) === '[demo] cluster ready: 3 servers in service');
    await trial.healed([]);
    expect(new Set(trial.subjects).size).toBe(trial.subjects.length);
  });
});
