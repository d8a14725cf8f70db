/** Numbers of many runs. */

/** The value below which this part of the values lies: the smallest that at least so many do not exceed. */
export function percentile(values: number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('there is no percentile of nothing');
  return found;
}

/** Milliseconds to seconds with one decimal: more would say that a model knows more than it does. */
export const seconds = (ms: number) => Math.round(ms / 100) / 10;

const ratio = (a: number, b: number) => Math.round((100 * a) / b) / 100;

/** Against a lower bound. Ratios compare percentiles: our median with the bound's median, our 95th with the bound's 95th. */
export interface Compared {
  p50: number;
  p95: number;
  lowerBoundP50: number;
  lowerBoundP95: number;
  ratioP50: number;
  ratioP95: number;
}

/** @param times of the runs, ms @param bounds of the same runs, ms */
export function compare(times: number[], bounds: number[]): Compared {
  const at = (part: number) => [percentile(times, part), percentile(bounds, part)] as const;
  const [p50, lowerBoundP50] = at(0.5);
  const [p95, lowerBoundP95] = at(0.95);
  return {
    p50: seconds(p50),
    p95: seconds(p95),
    lowerBoundP50: seconds(lowerBoundP50),
    lowerBoundP95: seconds(lowerBoundP95),
    ratioP50: ratio(p50, lowerBoundP50),
    ratioP95: ratio(p95, lowerBoundP95),
  };
}
