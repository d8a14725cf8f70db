/** Metrics: what other services and callers of PutMetricData reported. */

export type Dimensions = Record<string, string>;
export type Statistic = 'Average' | 'Sum' | 'Minimum' | 'Maximum' | 'SampleCount';

/** Half open: from `start` up to but not including `end`, milliseconds since the epoch. */
export interface Period {
  start: number;
  end: number;
}

interface Sample {
  at: number;
  sum: number;
  count: number;
  minimum: number;
  maximum: number;
}

/** How long samples are kept: longer than any alarm here looks back. */
const KEPT_MS = 24 * 3_600_000;

export class Metrics {
  private readonly samples = new Map<string, Sample[]>();

  put(namespace: string, name: string, dimensions: Dimensions, sample: Sample): void {
    const at = key(namespace, name, dimensions);
    const kept = this.samples.get(at) ?? [];
    this.samples.set(at, kept);
    kept.push(sample);
    // In the order they came: one that was sent late is merely kept a little longer.
    while (kept[0] && kept[0].at <= sample.at - KEPT_MS) kept.shift();
  }

  /** Undefined when there is no data. */
  value(
    namespace: string,
    name: string,
    dimensions: Dimensions,
    statistic: Statistic,
    period: Period,
  ): number | undefined {
    const samples = (this.samples.get(key(namespace, name, dimensions)) ?? []).filter(
      ({ at }) => at >= period.start && at < period.end,
    );
    return samples.length === 0 ? undefined : aggregate(samples, statistic);
  }
}

function aggregate(samples: Sample[], statistic: Statistic): number {
  const sum = samples.reduce((total, sample) => total + sample.sum, 0);
  const count = samples.reduce((total, sample) => total + sample.count, 0);
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'SampleCount':
      return count;
    case 'Average':
      return sum / count;
    case 'Minimum':
      return Math.min(...samples.map(({ minimum }) => minimum));
    case 'Maximum':
      return Math.max(...samples.map(({ maximum }) => maximum));
  }
}

/** A metric is its namespace, its name and exactly its dimensions, in any order. */
function key(namespace: string, name: string, dimensions: Dimensions): string {
  let text = `${namespace}\n${name}`;
  for (const dimension of Object.keys(dimensions).sort()) text += `\n${dimension}\n${dimensions[dimension]}`;
  return text;
}
