/** docs/guards.md: what has been seen of each guard. A run replaces what it has looked at and keeps the rest. */
import type { Guard } from './guard';
import type { Finding } from './hunt';
import { rulesOf } from './report';

const NOT_RUN = 'not run';
const SURVIVES = 'nothing';

/** @param previous the table as it was; empty when there is none */
export function tableOf(guards: readonly Guard[], findings: readonly Finding[], previous: string): string {
  const seen = new Map([
    ...rowsOf(previous),
    // What broke proves nothing, neither now nor then.
    ...findings.map((found) => [found.guard.name, found.outcome === 'broken' ? NOT_RUN : cell(found)] as const),
  ]);
  const rows = guards.map((guard) => ({ guard, by: seen.get(guard.name) ?? NOT_RUN }));
  const run = rows.filter(({ by }) => by !== NOT_RUN);
  const surviving = run.filter(({ by }) => by === SURVIVES);
  return [
    '# Guards, and what notices their absence',
    '',
    'Written by `npm run mutants -- --table docs/guards.md`: each guard of the [safety rules](reliability.md) was taken out of a',
    'copy of the project, and the first test that failed is named. A run of some guards (`--only`, `--from`) keeps the rows of',
    'the others.',
    '',
    `${run.length} of ${guards.length} guards have been taken out; for ${run.length - surviving.length} of these something failed.`,
    '',
    '| guard | rules | without it, | noticed by |',
    '| --- | --- | --- | --- |',
    ...rows.map(({ guard, by }) => `| ${guard.name} | ${rulesOf(guard)} | ${guard.without} | ${by} |`),
    '',
  ].join('\n');
}

/** Guard and last cell of each row. */
function rowsOf(table: string): [name: string, by: string][] {
  return [...table.matchAll(/^\| ([a-z0-9-]+) \| [0-9, ]+ \|.* (?<!\\)\| (.*) \|$/gm)].map(([, name = '', by = '']) => [
    name,
    by,
  ]);
}

function cell({ outcome, by, alsoBy }: Finding): string {
  if (outcome === 'survives') return SURVIVES;
  const seed = alsoBy === '' ? '' : `; ${alsoBy.slice(0, alsoBy.indexOf(':'))}`;
  // A file or a life stands in front; what never came to an end has neither.
  const [, where, what = by] = /^(.*?): (.*)$/s.exec(by) ?? [];
  return `${where === undefined ? '' : `\`${where}\`: `}${what.replaceAll('|', '\\|')}${seed}`;
}
