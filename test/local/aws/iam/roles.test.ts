import { Iam } from '../../../../local/aws/iam';
import { call, refusal } from '../../../support/call';
import { testWorld } from '../../../support/world';

const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const policy = (statement: Record<string, unknown>) => ({ Version: '2012-10-17', Statement: statement });
const READ = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/*' });

async function start(properties: Record<string, unknown> = {}) {
  const world = testWorld();
  const iam = new Iam(world);
  const create = async (type: string, logicalId: string, given: Record<string, unknown>) =>
    iam.resources[`AWS::IAM::${type}`]!(logicalId, given);
  const role = await create('Role', 'NodeRole', { AssumeRolePolicyDocument: TRUST, ...properties });
  return { world, iam, create, role, arn: String(role.attributes.Arn) };
}

describe('a role', () => {
  it('collects the statements of its inline, attached and managed policies', async () => {
    const { iam, create, role, arn } = await start({ Policies: [{ PolicyName: 'Read', PolicyDocument: READ }] });
    const write = policy({
      Effect: 'Allow',
      Action: ['s3:PutObject'],
      Resource: '*',
      Condition: { Bool: { 'aws:SecureTransport': true } },
    });
    await create('Policy', 'Default', { PolicyName: 'Default', PolicyDocument: write, Roles: [role.ref] });
    await create('ManagedPolicy', 'Managed', { PolicyDocument: READ, Roles: [role.ref] });
    expect(iam.statementsOf(arn)?.map(({ source }) => source)).toEqual([
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::bucket/*'] },
      {
        Effect: 'Allow',
        Action: ['s3:PutObject'],
        Resource: ['*'],
        Condition: { Bool: { 'aws:SecureTransport': ['true'] } },
      },
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::bucket/*'] },
    ]);
    expect(iam.trustOf(arn)?.statements).toMatchObject([{ source: { Principal: { Service: ['ec2.amazonaws.com'] } } }]);
  });

  it('has those managed policies of AWS that are modelled, and no other', async () => {
    const managed = (name: string) => ({ ManagedPolicyArns: [`arn:aws:iam::aws:policy/${name}`] });
    const { iam, arn } = await start(managed('service-role/AWSLambdaBasicExecutionRole'));
    expect(iam.statementsOf(arn)).toMatchObject([{ source: { Resource: ['*'] } }]);
    expect(await refusal(start(managed('AdministratorAccess')))).toMatchObject({
      code: 'NoSuchEntity',
      message: expect.stringContaining('AdministratorAccess is not modelled'),
    });
  });

  it('is found through its instance profile', async () => {
    const { iam, create, role, arn } = await start();
    const profile = await create('InstanceProfile', 'Profile', { Roles: [role.ref] });
    expect(iam.roleOfProfile(profile.ref)).toBe(arn);
    expect(iam.roleOfProfile(String(profile.attributes.Arn))).toBe(arn);
    expect(iam.roleOfProfile('other')).toBeUndefined();
  });

  it('can be read', async () => {
    const { world, iam, role, arn } = await start();
    expect(await call(world, iam, 'GetRole', { RoleName: role.ref })).toMatchObject({ Role: { Arn: arn, Path: '/' } });
    expect((await refusal(call(world, iam, 'GetRole', { RoleName: 'other' }))).code).toBe('NoSuchEntity');
  });
});

describe('a policy is refused', () => {
  it.each([
    ['without an action', { Effect: 'Allow', Resource: '*' }, /must contain actions/],
    ['without a resource', { Effect: 'Allow', Action: 's3:GetObject' }, /must contain resources/],
    [
      'with a principal',
      { Effect: 'Allow', Action: '*', Resource: '*', Principal: '*' },
      /should not specify a principal/,
    ],
    ['with an action of no service', { Effect: 'Allow', Action: 'GetObject', Resource: '*' }, /prefaced by a vendor/],
    ['with a resource that is no ARN', { Effect: 'Allow', Action: 's3:*', Resource: 'bucket' }, /ARN format/],
    ['with another effect', { Effect: 'Maybe', Action: 's3:*', Resource: '*' }, /Effect/],
    ['with an unknown element', { Effect: 'Allow', Action: 's3:*', Resource: '*', When: {} }, /When/],
  ])('%s', async (_what, statement, message) => {
    await expect(start({ Policies: [{ PolicyName: 'P', PolicyDocument: policy(statement) }] })).rejects.toThrow(
      message,
    );
  });

  it('when a trust policy names nobody', async () => {
    const AssumeRolePolicyDocument = policy({ Effect: 'Allow', Action: 'sts:AssumeRole' });
    await expect(start({ AssumeRolePolicyDocument })).rejects.toThrow(/must specify a principal/);
  });

  it('when it is attached to a role that does not exist', async () => {
    const { create } = await start();
    await expect(create('Policy', 'P', { PolicyName: 'P', PolicyDocument: READ, Roles: ['other'] })).rejects.toThrow(
      'P (AWS::IAM::Policy): The role with name other cannot be found.',
    );
  });
});
