/** What all runs come to: a table for people, an object for programs. Seconds. */
import { type Compared, compare, percentile, seconds } from './statistics';
import type { Measured, Part } from './trial';

export interface PartReport extends Compared {
  /** The median moment at which each phase was over. */
  phases: Record<string, number>;
  /** The same for the moment at which every server is Ready and votes, which the load balancer does not delay. */
  voters: Compared & { throughSsm: Pick<Compared, 'lowerBoundP50' | 'lowerBoundP95' | 'ratioP50' | 'ratioP95'> };
}

export interface Report {
  seeds: number;
  creation: PartReport;
  replacementTerminated: PartReport;
  replacementHang: PartReport;
  sequentialBaseline: {
    p50: number;
    p95: number;
    phases: Record<string, number>;
    /** Its median by that of the creation: so many times as long. */
    timesSlowerP50: number;
    /** The same until three servers vote. */
    timesSlowerToVotersP50: number;
  };
}

export function report(runs: Measured[]): Report {
  const creation = partReport(runs.map((run) => run.creation));
  const baseline = runs.map(({ sequentialBaseline }) => sequentialBaseline);
  const total = baseline.map((run) => run.total);
  const phases = medians(baseline.map((run) => run.phases));
  const p50 = seconds(percentile(total, 0.5));
  return {
    seeds: runs.length,
    creation,
    replacementTerminated: partReport(runs.map((run) => run.replacementTerminated)),
    replacementHang: partReport(runs.map((run) => run.replacementHang)),
    sequentialBaseline: {
      p50,
      p95: seconds(percentile(total, 0.95)),
      phases,
      timesSlowerP50: Math.round((100 * p50) / creation.p50) / 100,
      timesSlowerToVotersP50: Math.round((100 * (phases['join again'] ?? 0)) / creation.voters.p50) / 100,
    },
  };
}

function partReport(parts: Part[]): PartReport {
  const voters = parts.map(({ phases }) => phases.voters ?? Number.NaN);
  const {
    p50: _,
    p95: __,
    ...throughSsm
  } = compare(
    voters,
    parts.map((part) => part.throughSsm.voters),
  );
  return {
    ...compare(
      parts.map(({ total }) => total),
      parts.map(({ bound }) => bound.serving),
    ),
    phases: medians(parts.map(({ phases }) => phases)),
    voters: {
      ...compare(
        voters,
        parts.map(({ bound }) => bound.voters),
      ),
      throughSsm,
    },
  };
}

function medians(runs: Record<string, number>[]): Record<string, number> {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      seconds(
        percentile(
          runs.map((run) => run[name] ?? Number.NaN),
          0.5,
        ),
      ),
    ]),
  );
}

type Row = (string | number)[];

/** For people. */
export function table({ seeds, creation, replacementTerminated, replacementHang, sequentialBaseline }: Report): string {
  const row = (name: string, { p50, p95, lowerBoundP50, lowerBoundP95, ratioP50, ratioP95 }: Compared): Row => [
    name,
    p50,
    p95,
    lowerBoundP50,
    lowerBoundP95,
    ratioP50.toFixed(2),
    ratioP95.toFixed(2),
  ];
  const rows = (name: string, part: PartReport, end: string): Row[] => [
    row(`${name}: ${end}`, part),
    row(`${name}: voters`, part.voters),
    row('  bound of designs through SSM', { ...part.voters, ...part.voters.throughSsm }),
  ];
  const { p50, p95, phases, timesSlowerP50, timesSlowerToVotersP50 } = sequentialBaseline;
  return [
    `${seeds} seeds, seconds of modelled AWS time`,
    '',
    ...grid([
      ['', 'p50', 'p95', 'bound p50', 'bound p95', 'ratio p50', 'ratio p95'],
      ...rows('creation', creation, 'finished'),
      ...rows('terminated', replacementTerminated, 'in service'),
      ...rows('hang', replacementHang, 'in service'),
      ['sequential baseline', p50, p95],
    ]),
    '',
    `The sequential baseline takes ${timesSlowerP50.toFixed(2)} times as long as the creation, ` +
      `${timesSlowerToVotersP50.toFixed(2)} times until three servers vote.`,
    '',
    'Median moment at which each phase was over:',
    phaseLine('creation', creation.phases),
    phaseLine('terminated', replacementTerminated.phases),
    phaseLine('hang', replacementHang.phases),
    phaseLine('sequential baseline', phases),
  ].join('\n');
}

function phaseLine(name: string, phases: Record<string, number>): string {
  const list = Object.entries(phases).map(([phase, at]) => `${phase} ${at.toFixed(0)}`);
  return `  ${name.padEnd(20)} ${list.join(', ')}`;
}

function grid(rows: Row[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
