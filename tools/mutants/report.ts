/** What people see of a hunt. */
import type { Guard } from './guard';
import type { Finding } from './hunt';

const rulesOf = ({ rules }: Guard) => rules.join(', ');

/** One line as soon as it is known. */
export function lineOf({ guard, outcome, by, alsoBy, seconds }: Finding): string {
  const word = outcome === 'caught' ? outcome : outcome.toUpperCase();
  const rules = `rule ${rulesOf(guard)}`.padEnd(14);
  const what =
    outcome === 'survives'
      ? `nothing notices that without it, ${guard.without} (${guard.file})`
      : [by, alsoBy].filter(Boolean).join(' | ');
  return `${word.padEnd(8)}  ${rules}  ${guard.name.padEnd(36)}  ${`${seconds.toFixed(1)} s`.padStart(7)}  ${what}`;
}

/** docs/guards.md. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = findings.map(
    ({ guard, outcome, by, alsoBy }) =>
      `| ${guard.name} | ${rulesOf(guard)} | ${guard.without} | ${outcome === 'caught' ? cell(by, alsoBy) : outcome} |`,
  );
  return [
    '# Guards, and what misses them',
    '',
    'Written by `npm run mutants -- --table docs/guards.md`: each guard of the [safety rules](reliability.md) was taken out of a',
    'copy of the project, and the first test that failed is named.',
    '',
    '| guard | rules | without it, | caught by |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(by: string, alsoBy: string): string {
  const colon = by.indexOf(': ');
  const file = by.slice(0, colon).replace(/^test\//, '');
  const seed = alsoBy === '' ? '' : `; ${alsoBy.slice(0, alsoBy.indexOf(':'))}`;
  return `\`${file}\`: ${by.slice(colon + 2).replaceAll('|', '\\|')}${seed}`;
}
