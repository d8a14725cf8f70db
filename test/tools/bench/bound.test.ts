import { type LatencyName, PROFILE } from '../../../local/latency';
import { baseline } from '../../../tools/bench/baseline';
import { creation, type Loss, replacement, type Setting } from '../../../tools/bench/bound';
import type { Machine } from '../../../tools/bench/chain';

/** Every delay takes its median, unless said. */
function setting(delays: Partial<Record<string, number>> = {}): Setting {
  return {
    draw: (name: LatencyName, whose) => delays[`${name} ${whose}`] ?? delays[name] ?? PROFILE[name].p50,
    targetGroups: ['http', 'api'],
    throughSsm: false,
  };
}

const machine = (id: string): Machine => ({ instanceId: id, subnetId: `subnet-${id}`, nth: 0 });
const machines = ['a', 'b', 'c'].map(machine);
const RUNNING = 1500 + 12_000;
const PREPARED = RUNNING + 3200 + 4000;
/** A join that begins `begin` ms after the first server's start, whose ticks come 9, 24, 39 … s after it. */
const READY = (begin: number) => {
  const caughtUp = begin + 9100 + 1000 + 2000;
  return 9000 + 15_000 * Math.ceil((caughtUp - 9000) / 15_000) + 7800 + 3000;
};

describe('the lower bound of a creation', () => {
  it('is the first start and two joins, each after the other, with the ticks of the leader between them', () => {
    expect(creation(setting(), machines).voters).toBeCloseTo(PREPARED + READY(READY(30_000)));
  });

  it('takes the machine that is prepared first, and the joiners in the best order', () => {
    const late = setting({ 'ec2.boot a': 60_000 });
    const { voters } = creation(late, machines);
    expect(voters).toBe(creation(late, [machines[2]!, machines[0]!, machines[1]!]).voters);
    expect(voters).toBeLessThan(creation(setting({ 'ec2.boot': 60_000 }), machines).voters);
  });

  it('is the load balancer where that takes longer than all of it', () => {
    const { voters, serving } = creation(setting({ 'elb.register b api': 300_000 }), machines);
    expect(serving).toBe(RUNNING + 300_000);
    expect(voters).toBe(creation(setting(), machines).voters);
  });

  it('waits for the agent only where nodes are told through SSM what to do', () => {
    const slow = setting({ 'ssm.agent-online': 50_000 });
    const without = creation(slow, machines).voters;
    expect(creation({ ...slow, throughSsm: true }, machines).voters).toBeCloseTo(without + 50_000 - 7200);
  });
});

describe('the lower bound of a replacement', () => {
  const loss: Loss = { lost: machine('a'), successor: machine('b'), noticed: 1000, fenced: 25_000, tick: 0 };

  it('removes the member when the successor is prepared and the lost server has ended, whichever is later', () => {
    // Removed 1 s later, caught up 12.1 s after that: the next tick is the one at 45 s.
    expect(replacement(setting(), loss).voters).toBeCloseTo(45_000 + 10_800);
    expect(replacement(setting(), { ...loss, fenced: 200_000 }).voters).toBeCloseTo(225_000 + 10_800);
  });

  it('serves when the load balancer has taken note, which begins with the launch', () => {
    expect(replacement(setting(), loss).serving).toBe(1000 + RUNNING + 110_000);
  });

  it('never takes longer when something happens earlier', () => {
    for (let noticed = 0; noticed < 60_000; noticed += 700) {
      const earlier = replacement(setting(), { ...loss, noticed });
      const later = replacement(setting(), { ...loss, noticed: noticed + 700 });
      expect(earlier.voters).toBeLessThanOrEqual(later.voters);
      expect(earlier.serving).toBeLessThanOrEqual(later.serving);
    }
  });
});

describe('the sequential baseline', () => {
  it('does one stage after the other and registers last', () => {
    const stages = Object.values(baseline(setting().draw, machines, ['http', 'api']));
    expect(stages).toEqual([...stages].sort((a, b) => a - b));
    expect(stages.at(-1)! - stages.at(-2)!).toBeGreaterThanOrEqual(110_000);
  });

  it('is slower than the lower bound of the same delays', () => {
    const stages = baseline(setting().draw, machines, ['http', 'api']);
    const bound = creation({ ...setting(), throughSsm: true }, machines);
    expect(stages['join again']).toBeGreaterThan(bound.voters);
    expect(stages.register).toBeGreaterThan(bound.serving);
  });
});
