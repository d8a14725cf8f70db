import { reviewPolicies } from '../../../../local/aws/iam/review';

const INSTANCES = 'arn:aws:ec2:eu-west-3:123456789012:instance/*';
const TAGGED = { StringEquals: { 'aws:RequestTag/k3s:cluster': 'demo' } };

/** The faults of a role's policy with one statement. */
const faults = async (statement: object, more: object = {}) => {
  const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] };
  const found = await reviewPolicies({ Policies: [{ PolicyName: 'Step', PolicyDocument }], ...more });
  return found.map((fault) => fault.replace('Policies/0/PolicyDocument/Statement/0: ', ''));
};

describe('a statement', () => {
  it.each<[string, object]>([
    ['an action that takes no resource, on *', { Action: 'ec2:DescribeInstances', Resource: '*' }],
    ['an action on a resource of its type', { Action: 'ec2:TerminateInstances', Resource: INSTANCES }],
    [
      'log streams of a group',
      {
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: 'arn:aws:logs:eu-west-3:123456789012:log-group:/aws/lambda/step:*',
      },
    ],
    [
      'an image, which belongs to no account',
      { Action: 'ec2:RunInstances', Resource: 'arn:aws:ec2:eu-west-3::image/ami-1' },
    ],
    ['request tags of what a launch makes', { Action: 'ec2:RunInstances', Resource: INSTANCES, Condition: TAGGED }],
    [
      'tags of an instance',
      {
        Action: 'ec2:TerminateInstances',
        Resource: INSTANCES,
        Condition: { StringEquals: { 'ec2:ResourceTag/k3s:cluster': 'demo' } },
      },
    ],
    ['a pattern of actions', { Action: 's3:Get*', Resource: 'arn:aws:s3:::bucket/*' }],
    [
      'a list of values, asked for as one',
      {
        Action: 'ec2:CreateTags',
        Resource: INSTANCES,
        Condition: { 'ForAllValues:StringLike': { 'aws:TagKeys': 'k3s:*' } },
      },
    ],
    [
      'a key that need not be there',
      { Action: 'ec2:DescribeInstances', Resource: '*', Condition: { StringEqualsIfExists: { 'ec2:Vpc': 'vpc-1' } } },
    ],
  ])('with %s is accepted', async (_, statement) => {
    expect(await faults(statement)).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'an action that does not exist',
      { Action: 'ec2:LaunchInstances', Resource: '*' },
      'ec2:LaunchInstances is no action of AWS',
    ],
    [
      'a service that does not exist',
      { Action: 'ecc2:RunInstances', Resource: '*' },
      'ecc2:RunInstances is no action of AWS',
    ],
    [
      'a resource for an action that takes none',
      { Action: ['ec2:DescribeInstances', 'ec2:TerminateInstances'], Resource: INSTANCES },
      'ec2:DescribeInstances takes no resource: it can only be granted on *',
    ],
    [
      'a resource of another type',
      { Action: 'ec2:TerminateInstances', Resource: 'arn:aws:ec2:eu-west-3:123456789012:volume/*' },
      'no action of the statement takes a resource like arn:aws:ec2:eu-west-3:123456789012:volume/*',
    ],
    [
      'a bucket where objects are meant',
      { Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket' },
      'no action of the statement takes a resource like arn:aws:s3:::bucket',
    ],
    [
      // The mistake of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
      'request tags of what a launch only uses',
      {
        Action: 'ec2:RunInstances',
        Resource: [INSTANCES, 'arn:aws:ec2:eu-west-3:123456789012:subnet/*'],
        Condition: TAGGED,
      },
      'no request about arn:aws:ec2:eu-west-3:123456789012:subnet/* has aws:RequestTag/k3s:cluster',
    ],
    [
      'a key that the action never has',
      {
        Action: 'ec2:DescribeInstances',
        Resource: '*',
        Condition: { StringEquals: { 'ec2:ResourceTag/k3s:cluster': 'demo' } },
      },
      'no request about ec2:DescribeInstances has ec2:ResourceTag/k3s:cluster',
    ],
    [
      'a misspelt key',
      {
        Action: 'iam:PassRole',
        Resource: 'arn:aws:iam::123456789012:role/node',
        Condition: { StringEquals: { 'iam:PassToService': 'ec2.amazonaws.com' } },
      },
      'no request about iam:PassRole has iam:PassToService',
    ],
    [
      'a list of values, asked for as if it were one',
      { Action: 'ec2:CreateTags', Resource: INSTANCES, Condition: { StringEquals: { 'aws:TagKeys': 'k3s:cluster' } } },
      'aws:TagKeys has several values: StringEquals needs ForAllValues or ForAnyValue',
    ],
    [
      'a number, compared as text',
      {
        Action: 'ec2:RunInstances',
        Resource: INSTANCES,
        Condition: { StringEquals: { 'ec2:MetadataHttpPutResponseHopLimit': '1' } },
      },
      'ec2:MetadataHttpPutResponseHopLimit is a number: StringEquals does not fit',
    ],
    [
      'a truth, compared as text',
      {
        Action: 'ec2:RunInstances',
        Resource: 'arn:aws:ec2:eu-west-3:123456789012:volume/*',
        Condition: { StringEquals: { 'ec2:Encrypted': 'true' } },
      },
      'ec2:Encrypted is true or false: StringEquals does not fit',
    ],
    [
      'a key that the embedded AWS does not know',
      { Action: 'ec2:RunInstances', Resource: INSTANCES, Condition: { StringEquals: { 'ec2:Tenancy': 'default' } } },
      'the embedded AWS does not fill in ec2:Tenancy',
    ],
  ])('with %s is refused', async (_, statement, fault) => {
    expect(await faults(statement)).toContain(fault);
  });

  it('is named by its place and its Sid', async () => {
    const Statement = { Sid: 'Launch', Effect: 'Allow', Action: 'ec2:Launch', Resource: '*' };
    const PolicyDocument = { Version: '2012-10-17', Statement };
    expect(await reviewPolicies({ PolicyName: 'P', PolicyDocument })).toEqual([
      'PolicyDocument/Statement/0 (Launch): ec2:Launch is no action of AWS',
    ]);
  });

  it('of a trust policy and of a resource policy is looked at as well', async () => {
    const trust = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRoles' };
    const topic = { Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Resource: 'arn:aws:s3:::bucket' };
    const found = await reviewPolicies({
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      PolicyDocument: { Version: '2012-10-17', Statement: [topic] },
    });
    expect(found).toEqual([
      'AssumeRolePolicyDocument/Statement/0: sts:AssumeRoles is no action of AWS',
      'PolicyDocument/Statement/0: sns:Publish takes no resource of the statement, but arn:*:sns:*:*:*',
      'PolicyDocument/Statement/0: no action of the statement takes a resource like arn:aws:s3:::bucket',
    ]);
  });
});
