import { compileCondition } from '../../../../local/aws/iam/condition';

/** Whether a condition with one operator and key holds for a value of that key. */
const holds = (operator: string, wanted: string | string[], given?: string | string[]) =>
  compileCondition({ [operator]: { 'aws:Key': [wanted].flat() } })((key) => (key === 'aws:key' ? given : undefined));

const INSTANCE = 'arn:aws:ec2:eu-west-3:123456789012:instance/i-1';

describe('a condition operator', () => {
  it.each([
    ['StringEquals', 'demo', 'demo', true],
    ['StringEquals', 'demo', 'Demo', false],
    ['StringEquals', ['a', 'b'], 'b', true],
    ['StringEquals', 'de*', 'demo', false],
    ['StringNotEquals', 'demo', 'prod', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringEqualsIgnoreCase', 'demo', 'DEMO', true],
    ['StringNotEqualsIgnoreCase', 'demo', 'DEMO', false],
    ['StringLike', 'de?o*', 'demolition', true],
    ['StringLike', 'demo', 'demolition', false],
    ['StringNotLike', 'de*', 'prod', true],
    ['NumericEquals', '8', '8.0', true],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericGreaterThan', '10', 'many', false],
    ['Bool', 'true', 'True', true],
    ['Bool', 'false', 'true', false],
    ['ArnEquals', INSTANCE, INSTANCE, true],
    ['ArnLike', 'arn:aws:ec2:*:123456789012:instance/*', INSTANCE, true],
    // A wildcard does not reach over a colon: each component is compared by itself.
    ['ArnLike', 'arn:aws:*:instance/*', INSTANCE, 'throws'],
    ['ArnLike', 'arn:aws:ec2:*:instance/*:*', INSTANCE, false],
    ['ArnNotLike', 'arn:aws:ec2:*:*:volume/*', INSTANCE, true],
  ] as const)('%s %j of %j is %s', (operator, wanted, given, expected) => {
    const ask = () => holds(operator, [...[wanted].flat()], given);
    if (expected === 'throws') expect(ask).toThrow('is not an ARN');
    else expect(ask()).toBe(expected);
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
  it.each([
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['ArnLike', false],
    ['Bool', false],
    ['StringEqualsIfExists', true],
    ['StringNotEqualsIfExists', true],
    ['ForAllValues:StringEquals', true],
    ['ForAnyValue:StringEquals', false],
    ['ForAnyValue:StringNotEquals', false],
  ])('%s is %s of a key that the request does not have', (operator, expected) => {
    expect(holds(operator, operator === 'ArnLike' ? INSTANCE : 'x')).toBe(expected);
  });

  it.each([
    ['ForAllValues:StringEquals', ['a', 'b', 'c'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'x'], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['x', 'b'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['x', 'y'], false],
    ['ForAllValues:StringNotEquals', ['a'], ['x', 'y'], true],
    ['ForAllValues:StringNotEquals', ['a'], ['x', 'a'], false],
    ['ForAnyValue:StringLike', ['k3s:*'], ['Name', 'k3s:cluster'], true],
  ])('%s %j of %j is %s', (operator, wanted, given, expected) => {
    expect(holds(operator, wanted, given)).toBe(expected);
  });

  it('Null tells whether the request has the key', () => {
    expect(holds('Null', 'true')).toBe(true);
    expect(holds('Null', 'true', 'x')).toBe(false);
    expect(holds('Null', 'false', 'x')).toBe(true);
    expect(holds('Null', 'false')).toBe(false);
  });

  it.each(['IpAddress', 'DateLessThan', 'StringEqual', 'NullIfExists', 'ForSomeValues:StringEquals'])(
    '%s is refused by name',
    (operator) => {
      expect(() => holds(operator, 'x')).toThrow(`the condition operator ${operator} is not modelled`);
    },
  );

  it('refuses policy variables, which are not modelled', () => {
    expect(() => holds('StringLike', `${'$'}{aws:PrincipalTag/team}`)).toThrow('policy variables are not modelled');
  });
});

describe('a condition block', () => {
  const both = compileCondition({
    StringEquals: { 'aws:RequestTag/k3s:cluster': ['demo'], 'ec2:InstanceType': ['t4g.small', 't4g.medium'] },
    ArnEquals: { 'ec2:LaunchTemplate': [INSTANCE] },
  });
  const request = {
    'aws:requesttag/k3s:cluster': 'demo',
    'ec2:instancetype': 't4g.medium',
    'ec2:launchtemplate': INSTANCE,
  };

  it('holds when every key of every operator does, whatever the case of their names', () => {
    expect(both((key) => new Map(Object.entries(request)).get(key))).toBe(true);
  });

  it.each(Object.keys(request))('does not hold without %s', (missing) => {
    const rest = new Map(Object.entries(request).filter(([key]) => key !== missing));
    expect(both((key) => rest.get(key))).toBe(false);
  });
});
