import { DWELL_MS, id, World } from '../functions/cluster/world';
import { Cloud } from './cloud';
import { type Call, EXECUTION, lambdaError } from './workflow';

const failed = (error: string, ...parts: string[]) => ({
  status: 'FAILED',
  error,
  cause: expect.stringMatching(parts.map((part) => part.replace(/[()]/g, '\\$&')).join('.*')),
});

/** The instances that calls are about, each as often as the calls came back to it. */
const inTurn = (calls: Call[]) =>
  calls.map(({ payload }) => payload.instanceId).filter((instanceId, index, all) => instanceId !== all[index - 1]);

describe('a fresh creation', () => {
  it('launches all, initialises the first, joins the others, applies and hands out the servers', async () => {
    const cloud = new Cloud(World.empty());
    const { outcome } = await cloud.run('cluster');
    expect(outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        status: 'converged',
        changed: true,
        rounds: 1,
        reason: '3 of 3 servers are in service',
        servers: [{ slot: 0, etcdVoter: true }, { slot: 1 }, { slot: 2, ready: true, healthyTargets: 3 }],
      },
    });
    expect(cloud.deeds).toEqual(['launch 0', 'launch 1', 'launch 2', 'init 0', 'join 1', 'join 2', 'apply']);
    expect(cloud.holder).toBeNull();
  });

  it('passes the stages in the order in which people know them', async () => {
    const { states } = await new Cloud(World.empty()).run('cluster');
    const stages = states.filter((state) =>
      /^(AcquireLease|AssessCluster|LaunchServers|RetireServers|StartAndRegister|ApplyManifests|AwaitTargets|PublishEvent|ReleaseLease|Converged)$/.test(
        state,
      ),
    );
    expect(stages).toEqual([
      'AcquireLease',
      'AssessCluster',
      'LaunchServers',
      'RetireServers',
      'StartAndRegister',
      'ApplyManifests',
      'AwaitTargets',
      'AssessCluster',
      'PublishEvent',
      'ReleaseLease',
      'Converged',
    ]);
  });

  it('registers a successor before the old server is fenced, because that takes the load balancer minutes', async () => {
    const cloud = new Cloud(World.healthy().terminate(1));
    const { calls } = await cloud.run('cluster');
    const order = calls.map(({ fn }) => fn);
    expect(order.indexOf('RegisterTargets')).toBeLessThan(order.indexOf('TerminateServer'));
    const refused = new Cloud(World.healthy().terminate(1)).fail('RegisterTargets', 'TypeError', 'broken', 1);
    expect((await refused.run('cluster')).outcome.status).toBe('SUCCEEDED');
  });

  it('starts K3s on one machine after the other, because etcd takes one learner', async () => {
    const { calls } = await new Cloud(World.empty(5)).run('cluster');
    const starts = calls.filter(({ payload }) => payload.script === 'StartServer');
    expect(starts).toHaveLength(10);
    expect(inTurn(starts)).toEqual([0, 1, 2, 3, 4].map((slot) => id(slot)));
  });

  it('lets nobody join a cluster whose initialisation could not be recorded', async () => {
    const cloud = new Cloud(World.empty()).fail('CompleteInit', 'LatchRefused', 'the latch names another', 99);
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome).toEqual(failed('LatchRefused', 'server-0', 'the latch names another'));
    expect(inTurn(calls.filter(({ payload }) => payload.script === 'StartServer'))).toEqual([id(0)]);
  });

  it('registers while K3s starts', async () => {
    const { calls } = await new Cloud(World.empty()).run('cluster');
    const order = calls.map(({ fn, payload }) => `${fn} ${payload.script ?? ''}`.trim());
    expect(order.indexOf('RegisterTargets')).toBeLessThan(order.indexOf('CheckCommand StartServer'));
  });

  it('applies the manifests when every server is there, so that their pods spread', async () => {
    const { calls } = await new Cloud(World.empty()).run('cluster');
    const order = calls.map(({ fn, payload }) => `${fn} ${payload.script ?? ''}`.trim());
    expect(order.indexOf('SendCommand ApplyManifests')).toBeGreaterThan(order.lastIndexOf('CheckCommand StartServer'));
  });

  it('applies the manifests in the next round when nobody could be told in this one', async () => {
    const cloud = new Cloud(World.empty());
    cloud.fail('SendCommand', 'ServerLost', 'it is stopping', 1, ({ script }) => script === 'ApplyManifests');
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expect(cloud.deeds.filter((deed) => deed === 'apply')).toHaveLength(1);
  });

  it('sends the manifests again while their time has not come', async () => {
    const cloud = new Cloud(World.empty()).failScript('ApplyManifests', 'TryAgain', 'no matches for kind', 5);
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
  });

  it('of five works as well', async () => {
    const cloud = new Cloud(World.empty(5));
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(cloud.deeds.filter((deed) => deed.startsWith('join'))).toHaveLength(4);
  });

  it('polls until machines run, agents are online, commands end and targets are healthy', async () => {
    const cloud = new Cloud(World.empty())
      .fail('CheckServer', 'ServerNotYet', 'pending', 8)
      .fail('SendCommand', 'AgentOffline', 'not yet', 10)
      .fail('CheckCommand', 'CommandPending', 'in progress', 20)
      .fail('CheckTargets', 'TargetsNotHealthy', 'initial', 15);
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
  });

  it('survives throttling and Lambda’s own troubles on any call', async () => {
    const cloud = new Cloud(World.empty());
    for (const fn of Object.keys(cloud.answers)) {
      cloud.fail(fn, 'Throttled', 'rate exceeded', 2);
      cloud.fail(fn, 'Lambda.TooManyRequestsException', 'rate exceeded', 1);
    }
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
  });

  it('continues what a stopped execution has begun, without another instance', async () => {
    const cloud = new Cloud(World.empty().boot(0).boot(1));
    cloud.world.observation.cluster.phase = { name: 'initialising', instanceId: id(1) };
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(cloud.deeds).toEqual(['launch 2', 'init 1', 'join 0', 'join 2', 'apply']);
  });
});

describe('on a healthy cluster', () => {
  it('nothing is changed', async () => {
    const cloud = new Cloud(World.healthy());
    const { outcome, calls } = await cloud.run('cluster', { reason: 'just looking' });
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { changed: false, rounds: 0 } });
    expect(calls.map(({ fn }) => fn)).toEqual(['AcquireLease', 'AssessCluster', 'PublishEvent', 'ReleaseLease']);
    expect(cloud.deeds).toEqual([]);
  });

  it('new manifests are applied, and recorded as applied', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.world.observation.cluster.appliedManifests = 'b'.repeat(64);
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(cloud.deeds).toEqual(['apply']);
  });
});

describe('the lease', () => {
  it('held by another execution ends this one well, naming the holder', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.holder = 'execution-x#0';
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { status: 'held', holder: 'execution-x#0' } });
    expect(calls).toHaveLength(1);
  });

  it('of an execution that runs no more is taken over after a second look', async () => {
    const cloud = new Cloud(World.healthy());
    const usual = cloud.answers.AcquireLease!;
    let looks = 0;
    cloud.answers.AcquireLease = (payload) =>
      ++looks === 1
        ? { status: 'stale', holder: 'execution-x#0', recheckAfterSeconds: 60, message: 'it was stopped' }
        : usual(payload);
    const { outcome, seconds } = await cloud.run('cluster');
    expect(outcome.status).toBe('SUCCEEDED');
    expect(seconds).toBeGreaterThanOrEqual(60);
  });

  it('that stays stale for ever is no reason to wait for ever', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.answers.AcquireLease = () => ({
      status: 'stale',
      holder: 'execution-x#0',
      recheckAfterSeconds: 60,
      message: 'a command of execution-x#0 is still in flight',
    });
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed('LeaseUnavailable', 'AcquireLease: a command of execution-x#0'),
    );
  });

  it('is not given to a healer that may not act', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.answers.AcquireLease = () => ({ status: 'declined', message: 'healing is paused' });
    expect((await cloud.run('cluster', { origin: 'healer' })).outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: { status: 'declined', message: 'healing is paused' },
    });
  });

  it('is not asked for with an input that is not valid', async () => {
    const cloud = new Cloud(World.healthy()).fail('AcquireLease', 'InvalidInput', 'servers: unknown field');
    const { outcome, calls } = await cloud.run('cluster', { servers: 4 });
    expect(outcome).toEqual(failed('InvalidInput', '^AcquireLease: servers: unknown field$'));
    expect(calls).toHaveLength(1);
  });

  it('lost on the way ends the execution', async () => {
    const cloud = new Cloud(World.empty()).fail('LaunchServer', 'LeaseLost', 'execution-x#0 holds the lease', 9);
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed('LeaseLost', 'LaunchServers: server-0: LaunchServer: execution-x#0'),
    );
  });
});

/** Server 1 is well again while its successor is launched. */
function recoversDuringLaunch(cloud: Cloud): void {
  const usual = cloud.answers.LaunchServer!;
  cloud.answers.LaunchServer = (payload) => {
    cloud.world.serve(1);
    Object.assign(cloud.world.node(1)!, { ready: 'True' });
    cloud.world.instance(1).report = { ...cloud.world.instance(0).report! };
    return usual(payload);
  };
}

describe('a replacement', () => {
  const ORDER = ['launch 1', 'terminate 1', 'deregister 1', 'remove 1', 'forget 1', 'join 1', 'apply'];

  it('launches, fences, removes and joins, in this order', async () => {
    const cloud = new Cloud(World.healthy().terminate(1));
    expect((await cloud.run('cluster', { origin: 'healer', reason: 'server-1 is gone' })).outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: { changed: true, rounds: 1 },
    });
    expect(cloud.deeds).toEqual(ORDER);
  });

  it('of two servers removes the one before it begins with the other', async () => {
    const cloud = new Cloud(World.healthy(5).terminate(1).terminate(2));
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    const steps = calls.filter(({ fn }) => ['TerminateServer', 'DeregisterTargets', 'ForgetServer'].includes(fn));
    expect(steps).toHaveLength(6);
    expect(inTurn(steps)).toEqual([id(1), id(2)]);
  });

  it('waits for the fence before the member is removed', async () => {
    const cloud = new Cloud(World.healthy().terminate(1));
    cloud.fail('CheckServer', 'ServerNotYet', 'shutting-down', 30, ({ until }) => until === 'terminated');
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome.status).toBe('SUCCEEDED');
    const order = calls.map(({ fn, payload }) => `${fn} ${payload.until ?? payload.script ?? ''}`.trim());
    expect(order.lastIndexOf('CheckServer terminated')).toBeLessThan(order.indexOf('SendCommand RemoveMember'));
  });

  it('of a machine that hangs waits until the dwell time is over', async () => {
    const cloud = new Cloud(World.healthy().hang(1, { forMs: DWELL_MS / 2 }));
    const { outcome, states } = await cloud.run('cluster');
    expect(outcome.status).toBe('SUCCEEDED');
    expect(states).toContain('WaitForRecheck');
    expect(cloud.deeds).toEqual(ORDER);
  });

  it('boots while the dwell of the machine that hangs is still running', async () => {
    const cloud = new Cloud(World.healthy().hang(1));
    const { outcome, states, calls, seconds } = await cloud.run('cluster');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expect(states.indexOf('LaunchServer')).toBeLessThan(states.indexOf('WaitForRecheck'));
    expect(calls.filter(({ fn }) => fn === 'LaunchServer')).toHaveLength(1);
    expect(cloud.deeds).toEqual(ORDER);
    // The launch is part of the dwell, not added to it.
    expect(seconds).toBeLessThan(DWELL_MS / 1000 + 10);
  });

  it('that could not be launched ahead is launched when the dwell is over', async () => {
    const cloud = new Cloud(World.healthy().hang(1));
    cloud.fail('LaunchServer', 'CapacityUnavailable', 'no t3.medium in eu-west-3b');
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expect(cloud.deeds).toEqual(ORDER);
  });

  it('that was launched ahead leaves again when the server recovers', async () => {
    const cloud = new Cloud(World.healthy().hang(1));
    recoversDuringLaunch(cloud);
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(cloud.world.observation.instances.map(({ instanceId }) => instanceId)).toEqual([id(0), id(1), id(2)]);
  });

  it('does not happen to a server that recovers after the decision', async () => {
    const cloud = new Cloud(World.healthy().hang(1, { forMs: DWELL_MS }));
    recoversDuringLaunch(cloud);
    const { outcome } = await cloud.run('cluster');
    expect(outcome.status).toBe('SUCCEEDED');
    expect(cloud.deeds).toEqual(['launch 1', 'terminate 1', 'deregister 1', 'forget 1']);
    // The spare, not the server that recovered.
    expect(cloud.world.observation.instances.map(({ instanceId }) => instanceId)).toEqual([id(0), id(1), id(2)]);
  });

  it('is refused when a majority would be at risk, and nothing is touched', async () => {
    const cloud = new Cloud(World.healthy().terminate(1).hang(2));
    expect((await cloud.run('cluster')).outcome).toEqual(failed('Refused', 'AssessCluster: .*2 of 3 voters are sick'));
    expect(cloud.deeds).toEqual([]);
    expect(cloud.holder).toBeNull();
  });

  it('removes the member through a peer again when its time has not come', async () => {
    const cloud = new Cloud(World.healthy().terminate(1));
    cloud.failScript('RemoveMember', 'TryAgain', 'no leader', 3);
    expect((await cloud.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(cloud.deeds).toEqual(ORDER);
  });

  it('whose fence does not close is left alone and reported', async () => {
    const cloud = new Cloud(World.healthy().hang(1, { forMs: DWELL_MS }));
    cloud.fail('CheckServer', 'ServerNotYet', 'shutting-down', 999, ({ until }) => until === 'terminated');
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed('ServerNotYet', `RetireServers: server-1 ${id(1)}: AwaitTerminated: shutting-down`),
    );
    expect(cloud.deeds).not.toContain('remove 1');
  });
});

describe('when something fails', () => {
  it('for good, the reason names stage, server and cause, and the lease is free', async () => {
    const cloud = new Cloud(World.empty()).failScript(
      'StartServer',
      'ScriptFailed',
      'StartServer exited 1: no such file',
    );
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed(
        'ScriptFailed',
        `^StartAndRegister: server-0 ${id(0)}: CheckStartServerInit: StartServer exited 1: no such file$`,
      ),
    );
    expect(cloud.holder).toBeNull();
  });

  it('without an answer, that is said', async () => {
    const cloud = new Cloud(World.empty());
    cloud.answers.BeginInit = () => {
      throw lambdaError('States.Timeout', '');
    };
    expect((await cloud.run('cluster')).outcome).toEqual(failed('States.Timeout', 'StartAndRegister'));
  });

  it('in a way that no contract knows, it is not retried', async () => {
    const cloud = new Cloud(World.empty()).fail('AssessCluster', 'TypeError', 'x is undefined', 99);
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome).toEqual(failed('TypeError', 'AssessCluster: x is undefined'));
    expect(calls.filter(({ fn }) => fn === 'AssessCluster')).toHaveLength(1);
  });

  it('because a zone has no capacity, the other launches are recorded all the same', async () => {
    const cloud = new Cloud(World.empty());
    cloud.fail('LaunchServer', 'CapacityUnavailable', 'no t3.medium in eu-west-3a', 9, ({ slot }) => slot === 0);
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed(
        'CapacityUnavailable',
        `LaunchServers: server-0: LaunchServer: no t3.medium in eu-west-3a; launched all the same: ${id(1)}, ${id(2)}, which`,
      ),
    );
    expect(cloud.deeds).toEqual(['launch 1', 'launch 2']);
    expect(cloud.holder).toBeNull();
  });

  it('while a machine boots, the next round launches another', async () => {
    const cloud = new Cloud(World.empty());
    const usual = cloud.answers.CheckServer!;
    let lost = false;
    cloud.answers.CheckServer = (payload) => {
      if (lost || payload.instanceId !== id(2)) return usual(payload);
      lost = true;
      cloud.world.terminate(2);
      throw lambdaError('ServerLost', 'Server.InternalError');
    };
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expect(cloud.launches).toBe(4);
  });

  it('because the first server dies during init, another one initialises', async () => {
    const cloud = new Cloud(World.empty());
    const usual = cloud.answers.CheckCommand!;
    cloud.answers.CheckCommand = (payload) => {
      if (payload.instanceId !== id(0)) return usual(payload);
      cloud.world.terminate(0);
      throw lambdaError('AgentLost', 'the command was never answered');
    };
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expect(cloud.deeds.filter((deed) => deed.startsWith('init'))).toEqual(['init 0']);
    expect(cloud.world.observation.instances.map(({ instanceId }) => instanceId)).toContain(id(0, 2));
  });

  it('because the only server dies after init, no second cluster is initialised', async () => {
    const cloud = new Cloud(World.empty());
    const usual = cloud.answers.CompleteInit!;
    cloud.answers.CompleteInit = (payload) => {
      const output = usual(payload);
      cloud.world.terminate(0);
      cloud.world.observation.view = null;
      return output;
    };
    cloud.fail('CheckCommand', 'AgentLost', 'no route to the peer', 99, ({ instanceId }) => instanceId !== id(0));
    const { outcome } = await cloud.run('cluster');
    expect(outcome).toEqual(failed('Refused', 'restore it from a snapshot'));
    expect(cloud.deeds.filter((deed) => deed.startsWith('init'))).toHaveLength(1);
  });

  it('for a while, the script is sent again', async () => {
    const cloud = new Cloud(World.empty()).failScript('StartServer', 'TryAgain', 'user data has not finished', 6);
    const { outcome, calls } = await cloud.run('cluster');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
    expect(calls.filter(({ fn, payload }) => fn === 'SendCommand' && payload.script === 'StartServer')).toHaveLength(9);
  });

  it.each([
    ['K3s starts', 'activating', 'too many learner members'],
    ['its user data was cut short', 'preparing', 'user data has not finished'],
  ] as const)('for too long while %s, the machine is replaced in a later round', async (_, k3s, said) => {
    const cloud = new Cloud(World.empty());
    const usual = cloud.answers.CheckCommand!;
    cloud.answers.CheckCommand = (payload) => {
      if (payload.instanceId !== id(2)) return usual(payload);
      cloud.world.instance(2).report!.k3s = k3s;
      throw lambdaError('TryAgain', said);
    };
    const { outcome } = await cloud.run('cluster');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(cloud.deeds).toEqual(expect.arrayContaining(['launch 2', 'terminate 2', 'join 2']));
  });

  /** StartServer fails for good on these joiners, which report it from then on. */
  const failingFor = (cloud: Cloud, ...instanceIds: string[]) => {
    const usual = cloud.answers.CheckCommand!;
    cloud.answers.CheckCommand = (payload) => {
      const machine = cloud.world.observation.instances.find(({ instanceId }) => instanceId === payload.instanceId);
      if (payload.script !== 'StartServer' || !machine || !instanceIds.includes(machine.instanceId)) {
        return usual(payload);
      }
      machine.report!.k3s = 'failed';
      throw lambdaError('ScriptFailed', `StartServer on ${machine.instanceId} exited 1: 401 Unauthorized`);
    };
    return cloud;
  };

  it('for good on one machine that joins, another takes its place in the next round', async () => {
    const cloud = failingFor(new Cloud(World.empty()), id(1));
    expect((await cloud.run('cluster')).outcome).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 2 } });
    expect(cloud.deeds).toEqual(expect.arrayContaining(['launch 1', 'terminate 1', 'join 1']));
    expect(cloud.launches).toBe(4);
  });

  it('for good on every machine of a slot, three rounds are enough, and the reason is the script’s', async () => {
    const cloud = failingFor(new Cloud(World.empty()), id(1), id(1, 2), id(1, 3));
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed(
        'ScriptFailed',
        `^StartAndRegister: server-1 ${id(1, 3)}: CheckStartServer: StartServer on ${id(1, 3)} exited 1: .*; not converged after 3 rounds`,
      ),
    );
    expect(cloud.launches).toBe(5);
    expect(cloud.holder).toBeNull();
  });

  it('round after round, the last failure is the error', async () => {
    const cloud = new Cloud(World.empty()).fail('SendCommand', 'AgentOffline', 'SSM does not know it', 9999);
    const { outcome } = await cloud.run('cluster');
    expect(outcome).toEqual(
      failed('AgentOffline', `server-0 ${id(0)}: StartServerInit: SSM does not know it; not converged after 3 rounds`),
    );
    expect(cloud.holder).toBeNull();
  });

  it('to become healthy at the load balancer, the reason says what is missing', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.world.instance(1).targets.http = 'initial';
    expect((await cloud.run('cluster')).outcome).toEqual(
      failed('NotConverged', '20 looks: server-1 .* does not receive all traffic yet: http initial'),
    );
  });

  it('and releasing fails as well, the original reason is told', async () => {
    const cloud = new Cloud(World.empty())
      .failScript('StartServer', 'ScriptFailed', 'exited 1')
      .fail('ReleaseLease', 'TypeError', 'broken', 9);
    expect((await cloud.run('cluster')).outcome).toEqual(failed('ScriptFailed', 'exited 1'));
  });

  it('only while releasing, that is a failure too', async () => {
    const cloud = new Cloud(World.healthy()).fail('ReleaseLease', 'TypeError', 'broken', 9);
    expect((await cloud.run('cluster')).outcome).toEqual(failed('TypeError', 'ReleaseLease: broken'));
  });

  it('with a command in flight, the lease is released once the command is over', async () => {
    const cloud = new Cloud(World.empty())
      .failScript('StartServer', 'ScriptFailed', 'exited 1')
      .fail('ReleaseLease', 'CommandInFlight', 'cancelling', 4);
    await cloud.run('cluster');
    expect(cloud.holder).toBeNull();
  });
});

describe('people are told', () => {
  const kinds = (cloud: Cloud) => cloud.told.map(({ detailType }) => detailType);

  it('that the cluster is ready, while the lease is still held', async () => {
    const cloud = new Cloud(World.empty());
    const { calls } = await cloud.run('cluster', { reason: 'first try' });
    expect(cloud.told).toMatchObject([{ detailType: 'Cluster Ready', detail: { execution: EXECUTION, servers: 3 } }]);
    const order = calls.map(({ fn }) => fn);
    expect(order.indexOf('PublishEvent')).toBeLessThan(order.indexOf('ReleaseLease'));
  });

  it('who was replaced by whom, and how long each stage took', async () => {
    const cloud = new Cloud(World.healthy().terminate(1));
    cloud.healing.announced = cloud.world.observation.cluster.incarnation;
    cloud.fail('CheckServer', 'ServerNotYet', 'pending', 7, ({ until }) => until === 'running');
    cloud.fail('CheckCommand', 'CommandPending', 'in progress', 10, ({ script }) => script === 'StartServer');
    cloud.fail('CheckTargets', 'TargetsNotHealthy', 'initial', 5);
    await cloud.run('cluster');
    expect(cloud.told).toMatchObject([
      {
        detailType: 'Node Replaced',
        detail: {
          slot: 1,
          instanceId: id(1),
          newInstanceId: id(1, 2),
          seconds: { detect: 0, launch: 14, join: 10, inService: 15, total: 39 },
        },
      },
    ]);
  });

  it('that a replacement is deferred, and why', async () => {
    const cloud = new Cloud(World.healthy().terminate(1).hang(2));
    await cloud.run('cluster');
    expect(cloud.told).toMatchObject([
      { detailType: 'Replacement Deferred', detail: { incident: `majority-at-risk/${id(1)}`, slot: 1 } },
    ]);
  });

  it('that waiting did not help', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.world.instance(1).targets.http = 'unhealthy';
    await cloud.run('cluster');
    expect(cloud.told).toMatchObject([
      { detailType: 'Cluster Degraded', detail: { incident: `not-in-service/${id(1)}` } },
    ]);
  });

  it('which stage failed', async () => {
    const cloud = new Cloud(World.empty()).failScript('StartServer', 'ScriptFailed', 'exited 1');
    await cloud.run('cluster');
    expect(cloud.told).toMatchObject([
      { detailType: 'Converge Failed', detail: { stage: 'StartAndRegister', error: 'ScriptFailed' } },
    ]);
  });

  it('that the lease could not be released', async () => {
    const cloud = new Cloud(World.healthy()).fail('ReleaseLease', 'TypeError', 'broken', 9);
    await cloud.run('cluster');
    expect(kinds(cloud)).toEqual(['Cluster Ready', 'Converge Failed']);
  });

  it('or not, which changes nothing of the outcome', async () => {
    const well = new Cloud(World.empty()).fail('PublishEvent', 'Unavailable', 'EventBridge is down', 99);
    expect((await well.run('cluster')).outcome.status).toBe('SUCCEEDED');
    expect(well.holder).toBeNull();
    const ill = new Cloud(World.empty())
      .failScript('StartServer', 'ScriptFailed', 'exited 1')
      .fail('PublishEvent', 'TypeError', 'broken', 9);
    expect((await ill.run('cluster')).outcome).toEqual(failed('ScriptFailed', 'exited 1'));
    expect(ill.holder).toBeNull();
  });

  it('nothing of an execution that only met another one', async () => {
    const cloud = new Cloud(World.healthy());
    cloud.holder = 'execution-x#0';
    await cloud.run('cluster');
    expect(cloud.told).toEqual([]);
  });
});

it('every step acts in the name of the execution', async () => {
  const { calls } = await new Cloud(World.empty()).run('cluster');
  for (const { payload } of calls) {
    if ('execution' in payload) expect(payload.execution).toEqual({ id: EXECUTION, redrive: 0 });
  }
});
