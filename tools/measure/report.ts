/** What was measured, in the shape and the units of `npm run bench`. */
import { percentile, seconds } from '../bench/statistics';
import { type Kind, kindOf, phasesOf, type Run } from '../phases';
import { table } from '../table';

export interface Sample {
  execution: string;
  /** Seconds, from the beginning to the end of each phase. */
  phases: Record<string, number>;
}

export interface Summary {
  runs: Sample[];
  /** Until finished (creation) or serving (replacement), seconds. */
  p50: number;
  p95: number;
  /** Medians. */
  phases: Record<string, number>;
}

/** Undefined: none was found. */
export type Report = Partial<Record<Kind, Summary>>;

const KINDS: Record<Kind, { name: string; total: string }> = {
  creation: { name: 'creation', total: 'finished' },
  replacementTerminated: { name: 'terminated', total: 'serving' },
  replacementHang: { name: 'hang', total: 'serving' },
};
const ALL = Object.keys(KINDS) as Kind[];

/** @param beginnings when the trouble of a replacement began, epoch ms, by execution; otherwise it counts from its start */
export function report(runs: readonly Run[], beginnings: ReadonlyMap<string, number>): Report {
  const found: Report = {};
  for (const kind of ALL) {
    const samples = runs
      .filter((run) => kindOf(run) === kind)
      .map((run): Sample => {
        const begin = beginnings.get(run.execution) ?? run.startedAt;
        const phases = Object.entries(phasesOf(run, kind, begin));
        return {
          execution: run.execution,
          phases: Object.fromEntries(phases.map(([phase, ms]) => [phase, seconds(ms)])),
        };
      })
      .filter(({ phases }) => KINDS[kind].total in phases);
    if (samples.length > 0) found[kind] = summary(samples, KINDS[kind].total);
  }
  return found;
}

function summary(runs: Sample[], total: string): Summary {
  const values = (phase: string) => runs.flatMap(({ phases }) => phases[phase] ?? []);
  const names = [...new Set(runs.flatMap(({ phases }) => Object.keys(phases)))];
  return {
    runs,
    p50: percentile(values(total), 0.5),
    p95: percentile(values(total), 0.95),
    phases: Object.fromEntries(names.map((phase) => [phase, percentile(values(phase), 0.5)])),
  };
}

/** For people. */
export function text(found: Report, where: string): string {
  const kinds = ALL.flatMap((kind) => {
    const measured = found[kind];
    return measured ? [{ ...measured, ...KINDS[kind] }] : [];
  });
  if (kinds.length === 0) return `${where}: no creation and no replacement is remembered`;
  const rows = kinds.map(({ name, total, runs, p50, p95 }) => [
    `${name}, until ${total}`,
    String(runs.length),
    p50.toFixed(1),
    p95.toFixed(1),
  ]);
  const phases = kinds.map(({ name, phases: medians }) => {
    const list = Object.entries(medians).map(([phase, at]) => `${phase} ${at.toFixed(0)}`);
    return `  ${name.padEnd(12)}${list.join(', ')}`;
  });
  return [
    `${where}: measured, seconds; compare with npm run bench`,
    '',
    table(['', 'runs', 'p50', 'p95'], rows),
    '',
    'Median moment at which the workflow saw that a phase was over:',
    ...phases,
    ...(kinds.some(({ name }) => name !== 'creation')
      ? [
          '',
          'Replacements count from the first sign of trouble: bench counts from the loss itself, some seconds before.',
        ]
      : []),
  ].join('\n');
}
