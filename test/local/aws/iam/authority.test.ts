/** The cases of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, within one account. */
import { Iam, type Need, sessionArn } from '../../../../local/aws/iam';
import { RESOURCE_POLICY } from '../../../../local/aws/iam/policy';
import { compilePolicy } from '../../../../local/aws/iam/statement';
import { testWorld } from '../../../support/world';

const VERSION = '2012-10-17';
const BUCKET = 'arn:aws:s3:::bucket/key';
const RULE = 'arn:aws:events:eu-west-3:123456789012:rule/nodes';

type Statement = Record<string, unknown>;
const ALLOW = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/*' };
const DENY = { ...ALLOW, Effect: 'Deny' };
const READ: Need = { action: 's3:GetObject', resource: BUCKET };

const documentOf = (Statement: Statement[]) => ({ Version: VERSION, Statement });
const resourcePolicy = (statements: Statement[], sovereign = false): Need['policy'] => ({
  statements: statements.length === 0 ? [] : compilePolicy(RESOURCE_POLICY.parse(documentOf(statements))),
  sovereign,
});

async function roleWith(identity: Statement[], trust: Statement = { Principal: { Service: 'lambda.amazonaws.com' } }) {
  const world = testWorld();
  const iam = new Iam(world);
  const { attributes } = await iam.resources['AWS::IAM::Role']!('StepRole', {
    AssumeRolePolicyDocument: documentOf([{ Effect: 'Allow', Action: 'sts:AssumeRole', ...trust }]),
    Policies: identity.length === 0 ? [] : [{ PolicyName: 'Step', PolicyDocument: documentOf(identity) }],
  });
  const arn = String(attributes.Arn);
  const { authority } = iam;
  const session = sessionArn(arn, 'step');
  return { world, iam, authority, arn, session, may: (...needs: Need[]) => authority.refusal(session, needs) };
}

describe('the policies of a role', () => {
  it('allow nothing unless a statement does, and the refusal names who, what and where', async () => {
    const { may, session } = await roleWith([]);
    expect(may(READ)).toBe(
      `User: ${session} is not authorized to perform: s3:GetObject on resource: ${BUCKET} because no identity-based policy allows the s3:GetObject action`,
    );
  });

  it.each<[string, Statement[], Need, boolean]>([
    ['the action and the resource', [ALLOW], READ, true],
    ['another action', [ALLOW], { ...READ, action: 's3:PutObject' }, false],
    ['another resource', [ALLOW], { ...READ, resource: 'arn:aws:s3:::other/key' }, false],
    ['the action in another case', [{ ...ALLOW, Action: 's3:getobject' }], READ, true],
    ['the resource in another case', [ALLOW], { ...READ, resource: 'arn:aws:s3:::Bucket/key' }, false],
    ['a pattern of actions', [{ ...ALLOW, Action: 's3:Get*' }], READ, true],
    ['all but other actions', [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }], READ, true],
    ['all but this action', [{ Effect: 'Allow', NotAction: 's3:Get*', Resource: '*' }], READ, false],
    ['all but other resources', [{ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::other/*' }], READ, true],
    ['all but this resource', [{ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::bucket/*' }], READ, false],
    ['the same again, denied', [ALLOW, DENY], READ, false],
    ['the same again, denied first', [DENY, ALLOW], READ, false],
    ['everything, with a denial of something else', [ALLOW, { ...DENY, Action: 's3:PutObject' }], READ, true],
    [
      'it under a condition that holds',
      [{ ...ALLOW, Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-3' } } }],
      READ,
      true,
    ],
    [
      'it under a condition that does not hold',
      [{ ...ALLOW, Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } } }],
      READ,
      false,
    ],
    [
      'it under a condition on a key of the request',
      [{ ...ALLOW, Condition: { StringLike: { 's3:prefix': 'home/*' } } }],
      { ...READ, context: { 's3:Prefix': 'home/me' } },
      true,
    ],
    [
      'it, denied under a condition that does not hold',
      [ALLOW, { ...DENY, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
      READ,
      true,
    ],
  ])('that grant %s', async (_, identity, need, allowed) => {
    const { may } = await roleWith(identity);
    expect(may(need) === undefined).toBe(allowed);
  });

  it('must allow everything that a call needs', async () => {
    const { may } = await roleWith([ALLOW]);
    const pass = { action: 'iam:PassRole', resource: 'arn:aws:iam::123456789012:role/node' };
    expect(may(READ, pass)).toContain('iam:PassRole on resource: arn:aws:iam::123456789012:role/node because');
  });

  it('say so when they deny', async () => {
    const { may } = await roleWith([ALLOW, DENY]);
    expect(may(READ)).toContain('with an explicit deny in an identity-based policy');
  });

  it('count from the moment they are attached', async () => {
    const { iam, arn, may } = await roleWith([]);
    expect(may(READ)).toBeDefined();
    const properties = { PolicyName: 'More', PolicyDocument: documentOf([ALLOW]), Roles: [arn.split('/').at(-1)] };
    await iam.resources['AWS::IAM::Policy']!('More', properties);
    expect(may(READ)).toBeUndefined();
  });
});

describe('the policy of a resource', () => {
  const grant = (principal: unknown, more: Statement = {}) => ({ ...ALLOW, Principal: principal, ...more });
  const own = async (identity: Statement[], statements: Statement[], sovereign?: boolean) => {
    const { may } = await roleWith(identity);
    return may({ ...READ, policy: resourcePolicy(statements, sovereign) }) === undefined;
  };

  it('alone is enough for a role of the account that it names', async () => {
    const { may, arn, session } = await roleWith([]);
    for (const principal of [arn, session, '*']) {
      expect(may({ ...READ, policy: resourcePolicy([grant({ AWS: principal })]) })).toBeUndefined();
    }
    expect(may({ ...READ, policy: resourcePolicy([grant({ AWS: `${arn}2` })]) })).toBeDefined();
  });

  it('that names the account leaves it to the policies of its roles', async () => {
    const account = grant({ AWS: 'arn:aws:iam::123456789012:root' });
    expect(await own([], [account])).toBe(false);
    expect(await own([ALLOW], [account])).toBe(true);
  });

  it('is not needed where the role is allowed, unless it is that of a key', async () => {
    expect(await own([ALLOW], [])).toBe(true);
    expect(await own([ALLOW], [], true)).toBe(false);
    expect(await own([ALLOW], [grant({ AWS: '123456789012' })], true)).toBe(true);
    expect(await own([], [grant({ AWS: '123456789012' })], true)).toBe(false);
  });

  it('denies, whatever else allows', async () => {
    const deny = grant('*', { Effect: 'Deny' });
    expect(await own([ALLOW], [deny])).toBe(false);
    const { authority } = await roleWith([]);
    const root = 'arn:aws:iam::123456789012:root';
    expect(authority.refusal(root, [READ])).toBeUndefined();
    expect(authority.refusal(root, [{ ...READ, policy: resourcePolicy([deny]) }])).toContain(
      'with an explicit deny in a resource-based policy',
    );
  });

  it('denies all but the principals that it names', async () => {
    const { may, arn } = await roleWith([ALLOW]);
    const allBut = (principal: string) =>
      resourcePolicy([{ ...DENY, NotPrincipal: { AWS: ['arn:aws:iam::123456789012:root', principal] } }]);
    expect(may({ ...READ, policy: allBut(arn) })).toBeUndefined();
  });

  it('alone decides about AWS services, by the resource that they act for', async () => {
    const { authority } = await roleWith([ALLOW]);
    const policy = resourcePolicy([
      grant({ Service: 'events.amazonaws.com' }, { Condition: { ArnLike: { 'aws:SourceArn': RULE } } }),
    ]);
    const asks = (name: string, sourceArn?: string) =>
      authority.serviceRefusal({ name, sourceArn }, { ...READ, policy });
    expect(asks('events.amazonaws.com', RULE)).toBeUndefined();
    expect(asks('events.amazonaws.com', `${RULE}2`)).toContain('because no resource-based policy allows');
    expect(asks('events.amazonaws.com')).toBeDefined();
    expect(asks('sns.amazonaws.com', RULE)).toBeDefined();
  });
});

describe('the trust of a role', () => {
  const MACHINE = 'arn:aws:states:eu-west-3:123456789012:stateMachine:demo';
  const trust = {
    Principal: { Service: 'states.amazonaws.com' },
    Condition: {
      StringEquals: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'aws:SourceArn': MACHINE },
    },
  };

  it('admits the service for the resource that it names, and nobody else', async () => {
    const { authority, arn } = await roleWith([], trust);
    const states = 'states.amazonaws.com';
    expect(authority.assumeRefusal({ name: states, sourceArn: MACHINE }, arn)).toBeUndefined();
    expect(authority.assumeRefusal({ name: states, sourceArn: `${MACHINE}2` }, arn)).toContain('sts:AssumeRole');
    expect(authority.assumeRefusal({ name: 'lambda.amazonaws.com', sourceArn: MACHINE }, arn)).toBeDefined();
  });

  it('of a role that does not exist admits nobody', async () => {
    const { authority } = await roleWith([], trust);
    const arn = 'arn:aws:iam::123456789012:role/other';
    expect(authority.assumeRefusal({ name: 'states.amazonaws.com', sourceArn: MACHINE }, arn)).toBeDefined();
  });
});

it('a session of a role that does not exist may nothing', async () => {
  const { authority } = await roleWith([ALLOW]);
  expect(authority.refusal('arn:aws:sts::123456789012:assumed-role/Other/step', [READ])).toBeDefined();
});

it('refusals are remembered, each once with how often it happened', async () => {
  const { authority, may, session, world } = await roleWith([]);
  may(READ);
  const [first] = authority.denials;
  await world.clock.advance(1000);
  may(READ);
  may({ ...READ, action: 's3:PutObject' });
  expect(authority.denials).toMatchObject([
    { principal: session, action: 's3:GetObject', resource: BUCKET, times: 2, at: first?.at },
    { action: 's3:PutObject', times: 1 },
  ]);
});

it('what was granted and never used can be told from what was', async () => {
  const { iam, may } = await roleWith([
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::bucket/*', '*'] },
    { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
  ]);
  may({ ...READ, resource: 'arn:aws:s3:::other/key' });
  const used = iam
    .grants()
    .map(({ statement, action, resource, used }) => `${statement} ${action} ${resource} ${used}`);
  expect(used).toEqual([
    'Step[0] s3:GetObject arn:aws:s3:::bucket/* false',
    'Step[0] s3:GetObject * true',
    'Step[0] s3:PutObject arn:aws:s3:::bucket/* false',
    'Step[0] s3:PutObject * false',
    // Another statement had allowed it already.
    'Step[1] s3:GetObject * false',
  ]);
});

it('a statement with an operator that is not modelled is refused at deployment', async () => {
  const identity = [{ ...ALLOW, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }];
  await expect(roleWith(identity)).rejects.toMatchObject({
    code: 'MalformedPolicyDocument',
    message: expect.stringContaining('IpAddress'),
  });
});
