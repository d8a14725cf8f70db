import { readEvent } from '../../../functions/handle-node-event/events';
import { id } from '../cluster/world';
import { alarm, healthEvent, spotWarning, stateChange, tick } from './events';

const AT = Date.UTC(2026, 10, 22, 14);

describe('an event becomes a hint', () => {
  it.each([
    ['an instance state', stateChange(id(1)), `${id(1)} is terminated`, [id(1)], false],
    ['a spot warning', spotWarning(id(1)), `EC2 is about to terminate the spot instance ${id(1)}`, [id(1)], false],
    ['an alarm', alarm(), 'alarm k3s-demo-api-healthy-hosts is ALARM', [], false],
    [
      'AWS Health',
      healthEvent(id(1), 'vol-1'),
      'AWS Health: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED of EC2',
      [id(1)],
      false,
    ],
    ['the schedule', tick(), 'the schedule', [], true],
  ])('from %s', (_, event, what, instanceIds, routine) => {
    expect(readEvent(event)).toEqual({ what, instanceIds, routine, at: AT });
  });

  it('when AWS adds fields', () => {
    const event = stateChange(id(1));
    expect(readEvent({ ...event, extra: 1, detail: { ...event.detail, extra: 1 } })).toMatchObject({ routine: false });
  });

  it('from AWS Health without entities', () => {
    const event = healthEvent();
    const { affectedEntities: _, ...detail } = event.detail as Record<string, unknown>;
    expect(readEvent({ ...event, detail })).toMatchObject({ instanceIds: [] });
  });
});

describe('an event that nobody understands', () => {
  it.each([
    { ...tick(), source: 'aws.s3' },
    { ...stateChange(id(1)), 'detail-type': 'EC2 Instance Rebalance Recommendation' },
  ])('is named, not refused', (event) => {
    expect(readEvent(event)).toMatch(/^nothing is known of ".+" from aws\./);
  });
});

describe('a malformed event is refused, naming the field', () => {
  it.each([
    ['no object', 'hello', 'event: '],
    ['no detail-type', { ...tick(), 'detail-type': undefined }, 'detail-type'],
    ['a time that is none', { ...tick(), time: 'noon' }, 'time: must be a date'],
    ['no instance id', { ...stateChange(id(1)), detail: { state: 'stopped' } }, 'instance-id'],
    ['an id that is none', stateChange('my-server'), 'instance-id'],
    ['no action', { ...spotWarning(id(1)), detail: { 'instance-id': id(1) } }, 'instance-action'],
    ['no alarm state', { ...alarm(), detail: { alarmName: 'x' } }, 'state'],
    ['no service', { ...healthEvent(), detail: { eventTypeCode: 'x' } }, 'service'],
  ])('%s', (_, event, field) => {
    expect(() => readEvent(event)).toThrow(
      expect.objectContaining({ name: 'MalformedEvent', message: expect.stringContaining(field) }),
    );
  });
});
