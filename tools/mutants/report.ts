/** What people see of a hunt. */
import type { Guard } from './guard';
import type { Finding } from './hunt';

/** As they stand in lines and tables. */
export const rulesOf = ({ rules }: Guard) => rules.join(', ');

/** The last line: how many guards were seen to do something. */
export function summaryOf(findings: readonly Finding[]): string {
  const caught = findings.filter(({ outcome }) => outcome === 'caught').length;
  const guards = findings.length === 1 ? 'guard' : 'guards';
  return `${caught} of ${findings.length} ${guards}: a test fails without ${caught === 1 ? 'it' : 'each'}`;
}

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
