import type { Alert } from '../../../functions/notify/alert';
import { bodyOf, subjectOf } from '../../../functions/notify/message';
import { readEvent } from '../../../functions/notify/read-event';
import { deferred, deliver, EXECUTION, executionEnded, PLACE, replaced, silence } from './events';

function message(event: object): string {
  const { alert } = readEvent(event);
  if (!alert) return 'nobody is told';
  return `${subjectOf(alert, PLACE)}\n\n${bodyOf(alert, PLACE, alert.paused ?? false)}`;
}

const LINKS = `Logs:          https://eu-west-3.console.aws.amazon.com/cloudwatch/home?region=eu-west-3#logsV2:log-groups/log-group/$252Faws$252Fvendedlogs$252Fstates$252Fk3s-demo
`;
const EXECUTION_LINK = `https://eu-west-3.console.aws.amazon.com/states/home?region=eu-west-3#/v2/executions/details/${encodeURIComponent(EXECUTION)}`;

describe('the message about', () => {
  it('a replacement says from whom to whom, in what time, and that nothing is to be done', () => {
    expect(message(replaced())).toBe(`[demo] server-1 replaced in 89 s

What happened: server-1 i-0b7000001 is terminated
Since:         2026-11-22 14:02:11 UTC
Told:          2026-11-22 14:03:40 UTC
Decision:      replace server-1 (2 of the 2 voters left are proven healthy, a majority remains)
What changed:  server-1: i-0b7000001 → i-0d9000002 in 89 s (detect 1 s · launch 23 s · join 38 s · in service 27 s)
What to do:    nothing
Healing:       active

Execution:     ${EXECUTION_LINK}
${LINKS}Runbook:       docs/operations.md#node-replaced
`);
  });

  it('a deferred replacement has the reason first', () => {
    expect(message(deferred({ paused: true }))).toBe(`[demo] server-1 not replaced: the majority is at risk

What happened: server-1 is terminated, but 2 of 3 voters are sick
Told:          2026-11-22 14:03:40 UTC
Decision:      the replacement is deferred: nothing was changed
What changed:  nothing
What to do:    Bring the sick servers back.
Healing:       PAUSED: nothing is repaired until it is resumed (npm run resume)

Execution:     ${EXECUTION_LINK}
${LINKS}Runbook:       docs/operations.md#majority-at-risk
`);
  });

  it('a degraded cluster, or a stage that failed, says which in its subject', () => {
    const degraded = { slot: 2, instanceId: 'i-0b7000001', incident: 'agent-lost/i-0b7000001' };
    expect(message(deliver('Cluster Degraded', degraded))).toMatch(/^\[demo\] degraded: server-2 SSM agent lost\n/);
    const failed = { stage: 'LaunchServers', error: 'CapacityUnavailable', incident: 'failed/x' };
    expect(message(deliver('Converge Failed', failed))).toMatch(
      /^\[demo\] not converged: LaunchServers failed with CapacityUnavailable\n/,
    );
  });

  it('an execution that timed out says that it could not decide', () => {
    expect(message(executionEnded('TIMED_OUT'))).toContain(`[demo] execution repair-server-1-x timed out

What happened: The execution repair-server-1-x timed out
Since:         2026-11-22 13:00:00 UTC
`);
  });

  it('a silent schedule says that nobody watches', () => {
    expect(message(silence())).toContain('[demo] nobody watches the cluster: the minute check has stopped\n');
    expect(message(silence())).toContain('statemachines/view/');
  });

  it('an alert that could not be sent says so, and where to look', () => {
    const failing = message(silence('ALARM', 'notify-failing'));
    expect(failing).toContain('[demo] an alert could not be sent at once\n');
    expect(failing).toContain('Look at the log of the function notify');
  });

  it('what only informs programs is not sent', () => {
    const started = deliver('Replacement Started', { slot: 1, instanceId: 'i-0b7000001', since: 1 });
    const suspected = deliver('Node Suspected', { slot: 1, instanceId: 'i-0b7000001', since: 1, signals: [] });
    expect([started, suspected, executionEnded('SUCCEEDED'), silence('OK')].map(message)).toEqual(
      Array(4).fill('nobody is told'),
    );
  });
});

describe('a subject', () => {
  const subject = (headline: string) => {
    const { alert } = readEvent(replaced());
    return subjectOf({ ...(alert as Alert), headline }, PLACE);
  };

  it('is ASCII of at most 100 characters on one line, because SNS takes no other', () => {
    expect(subject('the table’s backup → a\nb é')).toBe("[demo] the table's backup -> a b ?");
    expect(subject('x'.repeat(200))).toHaveLength(100);
    expect(subject('x'.repeat(200))).toMatch(/xxx\.\.\.$/);
  });
});

describe('an event that is not what it promises', () => {
  it.each([
    ['no event', 'hello', 'event: '],
    ['a wrong time', { ...replaced(), time: 'yesterday' }, 'time: must be a date'],
    ['a missing field', deliver('Node Replaced', { slot: 1 }), 'detail.newInstanceId'],
    ['an unknown kind of ours', { ...replaced(), 'detail-type': 'Node Painted' }, 'detail-type'],
  ])('is refused by name: %s', (_, event, fault) => {
    expect(() => readEvent(event)).toThrow(
      expect.objectContaining({ name: 'MalformedEvent', message: expect.stringContaining(fault) }),
    );
  });
});
