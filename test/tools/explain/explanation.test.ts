import type { Observation } from '../../../functions/cluster/observation';
import { explain } from '../../../tools/explain/explanation';
import type { Look } from '../../../tools/explain/look';
import { report } from '../../../tools/explain/report';
import { id, NOW, POLICY, World } from '../../functions/cluster/world';

const found = (observation: Observation, fields: Partial<Look> = {}): Look => ({
  observation,
  lease: null,
  holder: 'none',
  healing: { attempt: null, refusal: null, announced: null },
  ...fields,
});
const explained = (world: World, fields?: Partial<Look>) =>
  explain(found(world.observation, fields), { ...POLICY, manifests: null });
const text = (world: World, fields?: Partial<Look>) =>
  report('demo', 'somewhere', explained(world, fields), Number.POSITIVE_INFINITY);

/** One signal against server-2: its API target is unhealthy and its Node is Ready. */
function oneSignal(forMs: number): World {
  const world = World.healthy();
  world.instance(2).targets.api = 'unhealthy';
  return world.suspect(2, ['API target unhealthy'], forMs);
}

describe('the explanation', () => {
  it('says of a healthy cluster that nothing is to be done', () => {
    expect(explained(World.healthy())).toMatchObject({ whole: true, triage: { decision: 'none' } });
    expect(text(World.healthy())).toMatch(/^cluster demo: healthy, nothing to do\n {2}3 of 3 servers are in service\n/);
  });

  it('says what would happen to a healthy cluster', () => {
    expect(explained(World.healthy()).whatIfs.map(({ condition, verdict }) => [condition, verdict.action])).toEqual([
      [`server-0 ${id(0)} were terminated`, 'converge'],
      [`server-0 ${id(0)} stopped answering for 90 s`, 'converge'],
      [`server-0 ${id(0)} and server-1 ${id(1)} both stopped answering`, 'refuse'],
    ]);
  });

  it('says of one signal who says it, since when, and that it is never enough', () => {
    const lines = text(oneSignal(40_000));
    expect(lines).toMatch(/^cluster demo: degraded, no action now: it looks again in 20 s\n/);
    expect(lines).toContain('load balancer: API target unhealthy');
    expect(lines).toContain('since 13:59:20 (40 s); one signal of two: never enough by itself');
  });

  it('says what a second signal would lead to, and that it would not act on two servers', () => {
    const { whatIfs } = explained(oneSignal(40_000));
    expect(whatIfs.map(({ condition, verdict }) => [condition, verdict.action])).toEqual([
      [`a second signal against server-2 ${id(2)} appears and both last until 14:01:30`, 'converge'],
      [`server-0 ${id(0)} stopped answering as well, for 90 s`, 'refuse'],
    ]);
    expect(text(oneSignal(40_000))).toContain('→ it would NOT act: ');
  });

  it('says how much of the dwell is left', () => {
    const world = World.healthy().hang(1, { forMs: 50_000 });
    expect(explained(world).servers[1]?.signals).toMatchObject({
      present: ['API target unhealthy', 'Node not Ready'],
      dueAt: NOW + 40_000,
    });
    expect(text(world)).toContain('since 13:59:10 (50 s); replaced in 40 s if that lasts');
    expect(explained(world).whatIfs[0]).toMatchObject({
      condition: 'that lasts until 14:00:40',
      verdict: { action: 'converge' },
    });
  });

  it('says that it would act now, and that the minute check would start it', () => {
    const world = World.healthy().terminate(1);
    expect(explained(world)).toMatchObject({
      whole: false,
      verdict: { action: 'converge' },
      triage: { decision: 'start' },
    });
    expect(text(world)).toMatch(/^cluster demo: degraded, to be repaired now\n/);
    expect(text(world)).toContain('would start an execution, which would carry that out');
  });

  it('says that an execution is at work, and leaves it to it', () => {
    const lease = {
      holder: { id: 'arn:aws:states:eu-west-3:0:execution:k3s-demo:repair-server-1-x', redrive: 0 },
      acquiredAt: NOW - 30_000,
      staleSince: null,
      commands: {},
    };
    const world = World.healthy().terminate(1);
    const lines = text(world, { lease, holder: 'running' });
    expect(lines).toMatch(/^cluster demo: an execution is at work\n/);
    expect(lines).toContain(
      'held by execution repair-server-1-x since 13:59:30 (30 s): nobody else acts while it runs',
    );
    expect(explained(world, { lease, holder: 'running' }).triage.decision).toBe('none');
    expect(text(world, { lease, holder: 'ended' })).toContain('which has ended: the next one takes it over');
  });

  it('says that healing is paused, and what it would do', () => {
    const world = World.healthy().terminate(1);
    world.observation.cluster.paused = true;
    const lines = text(world);
    expect(lines).toMatch(/^cluster demo: nothing is done, a person must look \(healing is paused\)\n/);
    expect(lines).toContain('healing is paused; it would replace server-1');
    expect(lines).toContain('npm run resume');
  });

  it('says that nothing is removed while two servers are sick', () => {
    const world = World.healthy().terminate(1).terminate(2);
    expect(explained(world).verdict.action).toBe('refuse');
    expect(text(world)).toContain(', and etcd can lose only 1 of 3');
  });

  it('counts the replacements that are left', () => {
    const world = World.healthy();
    world.left(1, NOW - 7_200_000).left(1, NOW - 60_000);
    expect(explained(world).replacements).toEqual({ lastHour: 1, left: 2, limit: 3 });
    expect(text(world)).toContain('1 in the last hour, 2 of 3 left');
  });

  it('names what could not be seen', () => {
    const world = World.healthy().blindfold('ReportStatus: Throttled');
    expect(explained(world).whole).toBe(false);
    expect(text(world)).toContain('not seen      ReportStatus: Throttled');
    expect(text(world)).toContain('Node not seen');
  });

  it('does not call a server sick whose agent alone is lost', () => {
    const world = World.healthy();
    Object.assign(world.instance(0), { agent: 'lost', report: null });
    const lines = text(world);
    expect(lines).toContain('SSM: agent lost, which alone is no reason to replace it');
    expect(lines).toMatch(/^cluster demo: in service, but somebody should look\n/);
  });
});
