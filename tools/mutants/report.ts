/** What people see of a hunt. */
import type { Guard } from './guard';
import type { Finding } from './hunt';

const rulesOf = ({ rules }: Guard) => rules.join(', ');

/** One line as soon as it is known. */
export function lineOf({ guard, outcome, by, seconds }: Finding): string {
  const word = outcome === 'caught' ? outcome : outcome.toUpperCase();
  const rules = `rule ${rulesOf(guard)}`.padEnd(14);
  const what = outcome === 'survives' ? `nothing notices that without it, ${guard.without} (${guard.file})` : by;
  return `${word.padEnd(8)}  ${rules}  ${guard.name.padEnd(36)}  ${`${seconds.toFixed(1)} s`.padStart(7)}  ${what}`;
}

/** The table of docs/reliability.md. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = findings.map(
    ({ guard, outcome, by }) =>
      `| ${guard.name} | ${rulesOf(guard)} | ${guard.without} | ${outcome === 'caught' ? cell(by) : outcome} |`,
  );
  return ['| guard | rules | without it, | caught by |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function cell(caughtBy: string): string {
  const colon = caughtBy.indexOf(': ');
  const file = caughtBy.slice(0, colon).replace(/^test\//, '');
  return `\`${file}\`: ${caughtBy.slice(colon + 2).replaceAll('|', '\\|')}`;
}
