import { compilePattern } from '../../../../local/aws/events/pattern';
import { refusal } from '../../../support/call';

const matches = (pattern: object, event: object) => compilePattern(pattern)(event);
const EVENT = {
  source: 'aws.ec2',
  'detail-type': 'EC2 Instance State-change Notification',
  detail: {
    'instance-id': 'i-0123456789abcdef0',
    state: 'terminated',
    count: 5,
    note: null,
    empty: '',
    tags: ['a', 'b'],
    items: [{ name: 'x' }, { name: 'y' }],
    flag: true,
  },
};
const detail = (rule: object) => matches({ detail: rule }, EVENT);

describe('a pattern', () => {
  it.each<[string, object, boolean]>([
    ['a value', { state: ['terminated'] }, true],
    ['one of several values', { state: ['stopped', 'terminated'] }, true],
    ['another value', { state: ['stopped'] }, false],
    ['several fields, all of them', { state: ['terminated'], count: [5] }, true],
    ['several fields, not all of them', { state: ['terminated'], count: [6] }, false],
    ['a number', { count: [5] }, true],
    ['a number written as text', { count: ['5'] }, false],
    ['a boolean', { flag: [true] }, true],
    ['null', { note: [null] }, true],
    ['null where there is nothing', { nothing: [null] }, false],
    ['empty text', { empty: [''] }, true],
    ['one item of a list', { tags: ['b'] }, true],
    ['a field of one object in a list', { items: { name: ['y'] } }, true],
    ['a prefix', { 'instance-id': [{ prefix: 'i-0' }] }, true],
    ['another prefix', { 'instance-id': [{ prefix: 'r-' }] }, false],
    ['a prefix in another case', { state: [{ prefix: { 'equals-ignore-case': 'TERM' } }] }, true],
    ['a suffix', { state: [{ suffix: 'ated' }] }, true],
    ['a suffix in another case', { state: [{ suffix: { 'equals-ignore-case': 'ATED' } }] }, true],
    ['another case', { state: [{ 'equals-ignore-case': 'TERMINATED' }] }, true],
    ['a wildcard', { state: [{ wildcard: 't*n*d' }] }, true],
    ['a wildcard that does not fit', { state: [{ wildcard: '*x*' }] }, false],
    ['a star itself', { state: [{ wildcard: 'termin\\*' }] }, false],
    ['anything but a value', { state: [{ 'anything-but': 'stopped' }] }, true],
    ['anything but a list', { state: [{ 'anything-but': ['stopped', 'terminated'] }] }, false],
    ['anything but a number', { count: [{ 'anything-but': [5] }] }, false],
    ['anything but a prefix', { state: [{ 'anything-but': { prefix: 'run' } }] }, true],
    ['anything but suffixes', { state: [{ 'anything-but': { suffix: ['ing', 'ated'] } }] }, false],
    ['anything but a wildcard', { state: [{ 'anything-but': { wildcard: '*min*' } }] }, false],
    ['anything but in a field that does not exist', { nothing: [{ 'anything-but': 'x' }] }, false],
    ['a range', { count: [{ numeric: ['>', 0, '<=', 5] }] }, true],
    ['a range that does not fit', { count: [{ numeric: ['<', 5] }] }, false],
    ['an equal number', { count: [{ numeric: ['=', 5.0] }] }, true],
    ['text in a range', { state: [{ numeric: ['>', 0] }] }, false],
    ['a field that exists', { state: [{ exists: true }] }, true],
    ['a field that does not exist', { nothing: [{ exists: false }] }, true],
    ['a deep field that does not exist', { nothing: { deep: [{ exists: false }] } }, true],
    ['a missing field that should exist', { nothing: [{ exists: true }] }, false],
    ['an existing field that should not', { state: [{ exists: false }] }, false],
    ['alternatives', { $or: [{ state: ['stopped'] }, { count: [5] }] }, true],
    ['alternatives of which none fits', { $or: [{ state: ['stopped'] }, { count: [6] }] }, false],
    ['alternatives beside a field', { flag: [false], $or: [{ count: [5] }, { state: ['x'] }] }, false],
  ])('on %s', (_, rule, expected) => {
    expect(detail(rule)).toBe(expected);
  });

  it('looks at the envelope too', () => {
    expect(matches({ source: ['aws.ec2'], 'detail-type': [{ prefix: 'EC2 ' }] }, EVENT)).toBe(true);
  });

  it.each<[string, unknown, string]>([
    ['that is not an object', [], 'Filter is not an object'],
    ['that is empty', {}, 'Empty patterns are not allowed'],
    ['with a bare value', { source: 'aws.ec2' }, '"source" must be an object or an array'],
    ['with an empty list', { source: [] }, 'Empty arrays are not allowed at "source"'],
    ['with an empty object', { detail: {} }, 'Empty objects are not allowed at "detail"'],
    [
      'with an unknown operator',
      { detail: { a: [{ contains: 'x' }] } },
      'Unrecognized match type contains at "detail.a"',
    ],
    ['with two operators', { a: [{ prefix: 'x', suffix: 'y' }] }, 'Only one key allowed in match expression at "a"'],
    ['with a prefix that is a number', { a: [{ prefix: 1 }] }, 'prefix match pattern must be a string at "a"'],
    ['with a half range', { a: [{ numeric: ['>'] }] }, 'Invalid member in numeric match at "a"'],
    ['with an unknown comparison', { a: [{ numeric: ['=>', 1] }] }, 'Unrecognized numeric range operator: => at "a"'],
    ['with a bound that is text', { a: [{ numeric: ['>', '1'] }] }, 'Value of > must be numeric'],
    ['with exists that is text', { a: [{ exists: 'yes' }] }, 'exists match pattern must be true or false at "a"'],
    ['with one alternative', { $or: [{ a: ['x'] }] }, '"$or" must be an array of at least two objects'],
    ['with two stars together', { a: [{ wildcard: 'x**' }] }, 'Consecutive wildcard characters at "a"'],
  ])('%s is refused', async (_, pattern, reason) => {
    const { code, message } = await refusal((async () => compilePattern(pattern))());
    expect(code).toBe('InvalidEventPatternException');
    expect(message).toContain(`Event pattern is not valid. Reason: ${reason}`);
  });
});
