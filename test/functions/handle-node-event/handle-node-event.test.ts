import type { Lease } from '../../../functions/aws/lease';
import type { Attempt, Healing, Refusal } from '../../../functions/cluster/triage';
import { type ClusterEvent, DETAILS } from '../../../functions/events';
import { handleNodeEvent } from '../../../functions/handle-node-event/handle-node-event';
import { id, NOW, World } from '../cluster/world';
import { THEIRS } from '../support/executions';
import { keptLog } from '../support/log';
import { alarm, stateChange, tick } from './events';

const STATE_MACHINE = 'arn:aws:states:eu-west-3:123456789012:stateMachine:k3s-demo';
const LEASE: Lease = { holder: THEIRS, acquiredAt: NOW, staleSince: null, commands: {} };

function start(world: World, { created = true } = {}) {
  const healing: Healing = { attempt: null, refusal: null, announced: null };
  const started: { name: string; input: object }[] = [];
  const told: ClusterEvent[] = [];
  const looks: boolean[] = [];
  const { log, lines } = keptLog();
  const { observation } = world;
  const state: { lease: Lease | null; running: boolean; nameTaken: boolean } = {
    lease: null,
    running: true,
    nameTaken: false,
  };
  const deps = {
    cluster: 'demo',
    stateMachine: STATE_MACHINE,
    remember: async () => ({
      cluster: created ? observation.cluster : null,
      slots: observation.slots,
      lease: state.lease,
      healing: { ...healing },
    }),
    glance: async (_: unknown, at: number, routine: boolean) => {
      looks.push(routine);
      observation.at = at;
      observation.view = null;
      return observation;
    },
    executions: {
      isRunning: async () => state.running,
      start: async (machine: string, name: string, input: object) => {
        expect(machine).toBe(STATE_MACHINE);
        started.push({ name, input });
        return state.nameTaken ? null : `${STATE_MACHINE}:${name}`;
      },
    },
    healer: {
      noteAttempt: async (attempt: Attempt) => {
        healing.attempt = attempt;
      },
      noteRefusal: async (refusal: Refusal) => {
        healing.refusal = refusal;
      },
    },
    bus: {
      publish: async (events: readonly ClusterEvent[]) => {
        told.push(...events);
      },
    },
    now: () => NOW + 2134,
  };
  const handle = (event: object) => handleNodeEvent(event, deps, log);
  return { handle, healing, started, told, looks, lines, state };
}

describe('an event', () => {
  it('that a server has ended starts a repair, named after the server and the time', async () => {
    const { handle, started, healing } = start(World.healthy().terminate(1));
    expect(await handle(stateChange(id(1)))).toMatchObject({ decision: 'start', execution: expect.any(String) });
    expect(started).toEqual([
      {
        name: 'repair-server-1-20261122T140002Z',
        input: { origin: 'healer', reason: `server-1 ${id(1)} is terminated` },
      },
    ]);
    expect(healing.attempt).toEqual({ signature: `${id(1)} gone`, at: NOW + 2134, noticedAt: NOW });
  });

  it('is a hint, never a fact: a server that is well is left alone', async () => {
    const { handle, started } = start(World.healthy());
    expect(await handle(stateChange(id(1), 'terminated'))).toMatchObject({ decision: 'none' });
    expect(started).toEqual([]);
  });

  it('about an instance that is not ours is not even looked at', async () => {
    const { handle, looks } = start(World.healthy().terminate(1));
    expect(await handle(stateChange('i-0123456789abcdef0'))).toMatchObject({
      decision: 'none',
      reason: expect.stringContaining('not a server of this cluster'),
    });
    expect(looks).toEqual([]);
  });

  it('of a type that nobody knows is logged and does nothing', async () => {
    const { handle, lines, looks } = start(World.healthy().terminate(1));
    expect(await handle({ ...tick(), source: 'aws.s3' })).toMatchObject({ decision: 'none' });
    expect(lines).toEqual([expect.objectContaining({ level: 'info', message: 'ignored event' })]);
    expect(looks).toEqual([]);
  });

  it('that is malformed is thrown back', async () => {
    const { handle } = start(World.healthy());
    await expect(handle(stateChange('x'))).rejects.toMatchObject({ name: 'MalformedEvent' });
  });

  it('of the schedule looks at less than others', async () => {
    const { handle, looks } = start(World.healthy());
    await handle(tick());
    await handle(alarm());
    expect(looks).toEqual([true, false]);
  });

  it('that arrives late does not tell when the trouble began', async () => {
    const { handle, healing } = start(World.healthy().terminate(1));
    await handle({ ...stateChange(id(1)), time: '2026-11-22T08:00:00Z' });
    expect(healing.attempt?.noticedAt).toBe(NOW + 2134);
  });

  it('delivered twice starts one execution', async () => {
    const { handle, started, state } = start(World.healthy().terminate(1));
    await handle(stateChange(id(1)));
    state.nameTaken = true;
    expect(await handle(stateChange(id(1)))).toMatchObject({ decision: 'start', execution: null });
    expect(new Set(started.map(({ name }) => name)).size).toBe(1);
  });
});

describe('nothing is looked at', () => {
  it('before a cluster was created', async () => {
    const { handle, looks } = start(World.empty(), { created: false });
    expect(await handle(tick())).toMatchObject({ decision: 'none' });
    expect(looks).toEqual([]);
  });

  it('when nobody wants the cluster any more', async () => {
    const world = World.healthy().terminate(1);
    world.observation.cluster.desired = 'absent';
    const { handle, looks } = start(world);
    expect(await handle(stateChange(id(1)))).toMatchObject({ decision: 'none' });
    expect(looks).toEqual([]);
  });

  it('while an execution holds the lease', async () => {
    const { handle, looks, state, started } = start(World.healthy().terminate(1));
    state.lease = LEASE;
    expect(await handle(stateChange(id(1)))).toMatchObject({ decision: 'none' });
    expect({ looks, started }).toEqual({ looks: [], started: [] });
  });
});

describe('a repair is started', () => {
  it('when the execution that held the lease was stopped half-way', async () => {
    const { handle, started, state } = start(World.healthy());
    Object.assign(state, { lease: LEASE, running: false });
    await handle(tick());
    expect(started).toMatchObject([{ name: 'repair-cluster-20261122T140002Z' }]);
  });

  it('not again for what was refused and has not changed', async () => {
    const { handle, started, healing } = start(World.healthy().terminate(1).terminate(2));
    await handle(tick());
    healing.refusal = { incident: 'majority-at-risk', at: NOW + 2134 };
    await handle(tick());
    expect(started).toHaveLength(1);
  });
});

describe('while healing is paused', () => {
  it('nothing is started and people are told, once', async () => {
    const world = World.healthy().terminate(1);
    world.observation.cluster.paused = true;
    const { handle, started, told } = start(world);
    expect(await handle(stateChange(id(1)))).toMatchObject({ decision: 'defer', execution: null });
    await handle(tick());
    expect(started).toEqual([]);
    expect(told).toMatchObject([
      {
        detailType: 'Replacement Deferred',
        detail: { incident: `paused/${id(1)}`, paused: true, todo: expect.stringContaining('npm run resume') },
      },
    ]);
    expect(DETAILS['Replacement Deferred'].safeParse(told[0]?.detail).error).toBeUndefined();
  });
});

it('every decision is one log line with its reason', async () => {
  const { handle, lines } = start(World.healthy());
  await handle(tick());
  expect(lines).toEqual([
    expect.objectContaining({
      message: 'decided',
      hint: 'the schedule',
      decision: 'none',
      code: 'whole',
      reason: '3 servers and nothing against them',
    }),
  ]);
});
