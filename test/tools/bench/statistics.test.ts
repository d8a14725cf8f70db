import { compare, percentile } from '../../../tools/bench/statistics';

describe('percentiles', () => {
  it('are values that occurred, in whatever order they came', () => {
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.95)).toBe(95);
    expect(() => percentile([], 0.5)).toThrow('nothing');
  });
});

describe('a comparison', () => {
  it('divides our percentile by the same percentile of the bounds, in seconds', () => {
    expect(compare([110_000, 220_000, 330_000], [100_000, 200_000, 220_000])).toEqual({
      p50: 220,
      p95: 330,
      lowerBoundP50: 200,
      lowerBoundP95: 220,
      ratioP50: 1.1,
      ratioP95: 1.5,
    });
  });
});
