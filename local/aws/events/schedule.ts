/**
 * Schedule expressions of EventBridge rules.
 * Source: EventBridge User Guide, "Creating an Amazon EventBridge rule that runs on a schedule". Times are UTC.
 */
import { AwsError } from '../service';

/** The first time strictly after `from`, milliseconds since the epoch; undefined when there is none. */
export type NextTime = (from: number) => number | undefined;

const invalid = () => new AwsError('ValidationException', 'Parameter ScheduleExpression is not valid.');

const UNITS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Compiles `rate(5 minutes)` or `cron(0 12 * * ? *)`.
 * @throws AwsError ValidationException
 */
export function compileSchedule(expression: string): NextTime {
  const rate = /^rate\((?<count>[1-9]\d*) (?<unit>minute|hour|day)(?<plural>s?)\)$/.exec(expression)?.groups;
  if (rate) {
    const count = Number(rate.count);
    // "rate(1 minutes)" and "rate(5 minute)" are refused by AWS too.
    if ((count === 1) === (rate.plural === 's')) throw invalid();
    const interval = count * UNITS[rate.unit!]!;
    return (from) => from + interval;
  }
  const cron = /^cron\((?<fields>[^)]+)\)$/.exec(expression)?.groups?.fields?.trim().split(/\s+/);
  if (cron?.length !== 6) throw invalid();
  return compileCron(cron);
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** Years ahead that are searched for a match: 29 February is at most eight years away. */
const HORIZON_YEARS = 9;

function compileCron([minute, hour, day, month, weekday, year]: string[]): NextTime {
  // Exactly one of day of month and day of week is left open with a question mark.
  if ((day === '?') === (weekday === '?')) throw invalid();
  const minutes = field(minute!, 0, 59);
  const hours = field(hour!, 0, 23);
  const lastDay = day === 'L';
  const days = day === '?' || lastDay ? undefined : field(day!, 1, 31);
  const months = field(month!, 1, 12, MONTHS);
  const weekdays = weekday === '?' ? undefined : field(weekday!, 1, 7, WEEKDAYS);
  const years = field(year!, 1970, 2199);

  const dayFits = (date: Date) => {
    if (!years.has(date.getUTCFullYear()) || !months.has(date.getUTCMonth() + 1)) return false;
    if (weekdays) return weekdays.has(date.getUTCDay() + 1);
    if (lastDay) return new Date(date.getTime() + 86_400_000).getUTCDate() === 1;
    return days?.has(date.getUTCDate()) ?? true;
  };
  return (from) => {
    const first = new Date(from);
    for (let i = 0; i <= HORIZON_YEARS * 366; i++) {
      const date = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate() + i));
      if (!dayFits(date)) continue;
      for (const h of hours)
        for (const m of minutes) {
          const time = date.getTime() + h * 3_600_000 + m * 60_000;
          if (time > from) return time;
        }
    }
    return undefined;
  };
}

/** The values of a field, ascending. */
function field(text: string, from: number, to: number, names: string[] = []): Set<number> {
  const value = (part: string) => {
    const named = names.indexOf(part.toUpperCase());
    const number = named >= 0 ? named + from : /^\d+$/.test(part) ? Number(part) : Number.NaN;
    if (!(number >= from && number <= to)) throw invalid();
    return number;
  };
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/');
    const every = step === undefined ? 1 : /^[1-9]\d*$/.test(step) ? Number(step) : Number.NaN;
    if (Number.isNaN(every)) throw invalid();
    const [low, high] = range === '*' ? [from, to] : bounds(range.split('-').map(value), step === undefined ? 0 : to);
    for (let i = low; i <= high; i += every) values.add(i);
  }
  return new Set([...values].sort((a, b) => a - b));
}

/** `5` is one value, `5/10` runs to the end, `5-10` is what it says. */
function bounds([low, high]: number[], end: number): [number, number] {
  if (low === undefined) throw invalid();
  return [low, high ?? (end === 0 ? low : end)];
}
