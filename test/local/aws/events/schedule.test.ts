import { compileSchedule } from '../../../../local/aws/events/schedule';

const next = (expression: string, from: string) => {
  const time = compileSchedule(expression)(Date.parse(from));
  return time === undefined ? undefined : new Date(time).toISOString().replace(':00.000Z', 'Z');
};

describe('a schedule', () => {
  it.each([
    ['rate(1 minute)', '2026-01-01T00:00:30Z', '2026-01-01T00:01:30.000Z'],
    ['rate(5 minutes)', '2026-01-01T00:00Z', '2026-01-01T00:05Z'],
    ['rate(1 hour)', '2026-01-01T00:00Z', '2026-01-01T01:00Z'],
    ['rate(7 days)', '2026-01-01T00:00Z', '2026-01-08T00:00Z'],
    ['cron(0 12 * * ? *)', '2026-01-01T11:59Z', '2026-01-01T12:00Z'],
    ['cron(0 12 * * ? *)', '2026-01-01T12:00Z', '2026-01-02T12:00Z'],
    ['cron(15,45 8-10 * * ? *)', '2026-01-01T08:15Z', '2026-01-01T08:45Z'],
    ['cron(0/10 * ? * MON-FRI *)', '2026-01-02T23:55Z', '2026-01-05T00:00Z'],
    ['cron(0 0 1 * ? *)', '2026-01-15T00:00Z', '2026-02-01T00:00Z'],
    ['cron(0 0 L * ? *)', '2026-02-01T00:00Z', '2026-02-28T00:00Z'],
    ['cron(0 0 29 2 ? *)', '2026-01-01T00:00Z', '2028-02-29T00:00Z'],
    ['cron(0 0 ? JAN 1 2027)', '2026-01-01T00:00Z', '2027-01-03T00:00Z'],
  ])('%s after %s is %s', (expression, from, expected) => {
    expect(next(expression, from)).toBe(expected);
  });

  it('may have no further time', () => {
    expect(next('cron(0 0 1 1 ? 2020)', '2026-01-01T00:00Z')).toBeUndefined();
  });

  it.each([
    'rate(1 minutes)',
    'rate(5 minute)',
    'rate(0 minutes)',
    'rate(5 seconds)',
    'every 5 minutes',
    'cron(0 12 * * *)',
    'cron(0 12 * * * *)',
    'cron(0 12 ? * ? *)',
    'cron(60 12 * * ? *)',
    'cron(0 12 32 * ? *)',
    'cron(a 12 * * ? *)',
    'cron(0/0 12 * * ? *)',
  ])('%s is refused', (expression) => {
    expect(() => compileSchedule(expression)).toThrow('Parameter ScheduleExpression is not valid.');
  });
});
