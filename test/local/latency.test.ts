import { Latency, type LatencyName, PROFILE } from '../../local/latency';
import { Random } from '../../local/random';

const percentile = (values: number[], p: number) => [...values].sort((a, b) => a - b)[Math.floor(values.length * p)]!;

describe('the latency profile', () => {
  it.each(Object.keys(PROFILE) as LatencyName[])('draws %s with the stated median and 95th percentile', (name) => {
    const latency = new Latency(new Random(name));
    const draws = Array.from({ length: 4000 }, () => latency.sample(name));
    expect(percentile(draws, 0.5) / PROFILE[name].p50).toBeCloseTo(1, 0);
    expect(percentile(draws, 0.95) / PROFILE[name].p95).toBeGreaterThan(0.85);
    expect(percentile(draws, 0.95) / PROFILE[name].p95).toBeLessThan(1.15);
    expect(Math.min(...draws)).toBeGreaterThan(0);
  });

  it('names a source for every delay', () => {
    for (const delay of Object.values(PROFILE)) expect(delay.source.length).toBeGreaterThan(20);
  });

  it('is the same for the same seed', () => {
    const draw = () => new Latency(new Random(7)).sample('k3s.join');
    expect(draw()).toBe(draw());
  });

  it('gives each machine its own delays, whatever others are waited for', () => {
    const alone = new Latency(new Random(7));
    const busy = new Latency(new Random(7));
    for (let other = 0; other < 5; other++) busy.sample('k3s.join', 'i-2');
    expect([busy.sample('k3s.join', 'i-1'), busy.sample('k3s.join', 'i-1')]).toEqual([
      alone.draw('k3s.join', 'i-1', 0),
      alone.draw('k3s.join', 'i-1', 1),
    ]);
    expect(alone.draw('k3s.join', 'i-1')).not.toBe(alone.draw('k3s.join', 'i-2'));
  });

  it('multiplies what is sampled by a fault, and not what is looked up', () => {
    const slow = new Latency(new Random(7), (name) => (name === 'ec2.boot' ? 10 : 1));
    expect(slow.sample('ec2.boot', 'i-1')).toBe(10 * slow.draw('ec2.boot', 'i-1'));
    expect(slow.sample('k3s.join', 'i-1')).toBe(slow.draw('k3s.join', 'i-1'));
  });
});

describe('randomness', () => {
  it('forks streams that do not disturb their parent', () => {
    const parent = new Random(1);
    const fork = parent.fork('a');
    fork.next();
    expect(parent.next()).toBe(new Random(1).next());
    expect(new Random(1).fork('a').next()).not.toBe(new Random(1).fork('b').next());
  });

  it('makes UUIDs of version 4', () => {
    expect(new Random(3).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
