/** Puts an alert into words for somebody who was woken up by it. */
import type { Alert } from './alert';
import { executionLink, logLink } from './links';

export interface Place {
  cluster: string;
  /** ARN of the cluster workflow. */
  stateMachine: string;
}

/** SNS, Publish, Subject: at most 100 characters of printable ASCII, beginning with a letter, digit or punctuation. */
const SUBJECT_LENGTH = 100;

export function subjectOf({ headline }: Alert, { cluster }: Place): string {
  const text = `[${cluster}] ${headline}`.replaceAll('→', '->').replaceAll('’', "'").replace(/\s+/g, ' ');
  const ascii = text.replace(/[^\x20-\x7e]/g, '?').trim();
  return ascii.length > SUBJECT_LENGTH ? `${ascii.slice(0, SUBJECT_LENGTH - 3)}...` : ascii;
}

/** @param paused as the record says now; an event knows how it was when it happened */
export function bodyOf(alert: Alert, { stateMachine }: Place, paused: boolean): string {
  const { reason, since, at, decision, changed, todo, execution, runbook } = alert;
  const facts: [string, string | null][] = [
    ['What happened', reason],
    ['Since', since === null ? null : time(since)],
    ['Told', time(at)],
    ['Decision', decision],
    ['What changed', changed ?? 'nothing'],
    ['What to do', todo],
    ['Healing', paused ? 'PAUSED: nothing is repaired until it is resumed (npm run resume)' : 'active'],
  ];
  const links: [string, string][] = [
    ['Execution', executionLink(execution, stateMachine)],
    ['Logs', logLink(execution, stateMachine)],
    ['Runbook', `docs/operations.md#${runbook}`],
  ];
  return `${table(facts)}\n\n${table(links)}\n`;
}

function table(rows: [string, string | null][]): string {
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${`${name}:`.padEnd(15)}${value}`])).join('\n');
}

const time = (at: number) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
