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
