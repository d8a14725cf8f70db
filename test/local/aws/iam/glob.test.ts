import { compileGlob, globsMeet } from '../../../../local/aws/iam/glob';

describe('a pattern', () => {
  it.each([
    ['s3:GetObject', 's3:GetObject', true],
    ['s3:GetObject', 's3:GetObjectAcl', false],
    ['*', '', true],
    ['ec2:Describe*', 'ec2:DescribeInstances', true],
    ['ec2:*Instances', 'ec2:RunInstances', true],
    ['ec2:*Instances', 'ec2:RunInstancesNot', false],
    ['arn:aws:s3:::b?cket/*', 'arn:aws:s3:::bucket/a/b', true],
    ['arn:aws:s3:::b?cket/*', 'arn:aws:s3:::bcket/a', false],
    // What is special in regular expressions is not special here.
    ['log-group:/aws/(x).[y]+:*', 'log-group:/aws/(x).[y]+:log-stream:s', true],
    ['a.c', 'abc', false],
    ['a*c', 'a\nc', true],
  ])('%s of %j is %s', (pattern, text, expected) => {
    expect(compileGlob(pattern)(text)).toBe(expected);
  });
});

describe('two patterns', () => {
  it.each([
    ['*', 'arn:aws:ec2:*:*:instance/*', true],
    ['arn:aws:ec2:eu-west-3:1:instance/*', 'arn:*:ec2:*:*:instance/*', true],
    ['volume/*', 'instance/*', false],
    ['arn:aws:ec2:*', 'arn:*:ec2:*:*:instance/*', true],
    ['a?c', 'ab*', true],
    ['a?', 'a', false],
    ['', '**', true],
    ['*x', 'x*', true],
    ['*x*', 'y', false],
  ])('%s and %s have a text in common: %s', (one, other, expected) => {
    expect(globsMeet(one, other)).toBe(expected);
    expect(globsMeet(other, one)).toBe(expected);
  });
});
