/** IAM: roles with their policies, and instance profiles; its `authority` decides who may do what. */
import { z } from 'zod';
import type { Random } from '../../random';
import { provision } from '../properties';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { Authority, type Roles } from './authority';
import { AWS_MANAGED } from './managed';
import { IDENTITY_POLICY, type PolicyDocument, TRUST_POLICY } from './policy';
import { type CompiledStatement, compilePolicy, type ResourcePolicy } from './statement';

export { type Authority, type Denial, type Permits, type ServiceCaller, sessionArn } from './authority';
export type { Need } from './need';
export type { PolicyDocument, Statement } from './policy';

const NAME = z.string().regex(/^[\w+=,.@-]{1,128}$/);
const ROLE_NAME = z.string().regex(/^[\w+=,.@-]{1,64}$/);
const PATH = z
  .string()
  .regex(/^\/([\x21-\x7e]+\/)?$/)
  .default('/');
const TAGS = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]);

const ROLE = z.strictObject({
  RoleName: ROLE_NAME.optional(),
  Path: PATH,
  Description: z.string().max(1000).optional(),
  AssumeRolePolicyDocument: TRUST_POLICY,
  Policies: z.array(z.strictObject({ PolicyName: NAME, PolicyDocument: IDENTITY_POLICY })).default([]),
  ManagedPolicyArns: z.array(z.string().startsWith('arn:')).max(10).default([]),
  MaxSessionDuration: z.coerce.number().int().min(3600).max(43_200).default(3600),
  PermissionsBoundary: z.string().optional(),
  Tags: TAGS,
});

const ATTACHED = {
  PolicyDocument: IDENTITY_POLICY,
  Roles: z.array(ROLE_NAME).min(1),
};
const POLICY = z.strictObject({ PolicyName: NAME, ...ATTACHED });
const MANAGED_POLICY = z.strictObject({
  ManagedPolicyName: NAME.optional(),
  Path: PATH,
  Description: z.string().optional(),
  PolicyDocument: IDENTITY_POLICY,
  Roles: z.array(ROLE_NAME).default([]),
});
const INSTANCE_PROFILE = z.strictObject({
  InstanceProfileName: NAME.optional(),
  Path: PATH,
  Roles: z.array(ROLE_NAME).length(1),
});

const GET_ROLE = z.strictObject({ RoleName: ROLE_NAME });
const GET_INSTANCE_PROFILE = z.strictObject({ InstanceProfileName: NAME });

interface Role {
  name: string;
  arn: string;
  id: string;
  path: string;
  description: string | undefined;
  logicalId: string;
  trustDocument: PolicyDocument;
  trust: ResourcePolicy;
  /** By the policy's name. */
  inline: Map<string, readonly CompiledStatement[]>;
  managed: Set<string>;
  maxSessionSeconds: number;
  createdAt: Date;
  tags: { Key: string; Value: string }[];
}

interface InstanceProfile {
  name: string;
  arn: string;
  id: string;
  path: string;
  role: Role;
  createdAt: Date;
}

/** What a role may do, as far as one element of a statement says it. */
export interface Grant {
  /** Of the role. */
  logicalId: string;
  /** `Step[2]`: the third statement of a policy. */
  statement: string;
  /** Pattern. */
  action: string;
  /** Pattern. */
  resource: string;
  /** Whether it has allowed anything. */
  used: boolean;
}

export class Iam implements Service, Roles {
  readonly name = 'iam';
  readonly protocol = 'query';
  readonly version = '2010-05-08';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  readonly authority: Authority;

  private readonly random: Random;
  private readonly roles = new Map<string, Role>();
  private readonly profiles = new Map<string, InstanceProfile>();
  private readonly managed = new Map<string, readonly CompiledStatement[]>();

  constructor(private readonly world: World) {
    this.random = world.random.fork('iam');
    this.authority = new Authority(world, this);
    for (const [arn, document] of Object.entries(AWS_MANAGED)) this.managed.set(arn, compile(document));
    this.resources = {
      'AWS::IAM::Role': provision('AWS::IAM::Role', ROLE, (properties, id) => this.createRole(properties, id)),
      'AWS::IAM::Policy': provision('AWS::IAM::Policy', POLICY, (properties, logicalId) => {
        for (const role of properties.Roles) {
          this.role(role).inline.set(properties.PolicyName, compile(properties.PolicyDocument));
        }
        this.authority.forget();
        return { ref: logicalId, attributes: { Id: logicalId } };
      }),
      'AWS::IAM::ManagedPolicy': provision('AWS::IAM::ManagedPolicy', MANAGED_POLICY, (properties, logicalId) => {
        const name = properties.ManagedPolicyName ?? this.newName(logicalId);
        const arn = this.arn('policy', properties.Path, name);
        this.managed.set(arn, compile(properties.PolicyDocument));
        for (const role of properties.Roles) this.role(role).managed.add(arn);
        this.authority.forget();
        return { ref: arn, attributes: { PolicyArn: arn } };
      }),
      'AWS::IAM::InstanceProfile': provision('AWS::IAM::InstanceProfile', INSTANCE_PROFILE, (properties, logicalId) =>
        this.createProfile(properties, logicalId),
      ),
    };
    this.operations = {
      GetRole: operation({
        input: GET_ROLE,
        needs: ({ RoleName }) => [{ action: 'iam:GetRole', resource: this.role(RoleName).arn }],
        handle: ({ RoleName }) => ({ Role: showRole(this.role(RoleName)) }),
      }),
      GetInstanceProfile: operation({
        input: GET_INSTANCE_PROFILE,
        needs: ({ InstanceProfileName }) => [
          { action: 'iam:GetInstanceProfile', resource: this.profile(InstanceProfileName).arn },
        ],
        handle: ({ InstanceProfileName }) => ({ InstanceProfile: showProfile(this.profile(InstanceProfileName)) }),
      }),
    };
  }

  arnOfRole(name: string): string | undefined {
    return this.roles.get(name)?.arn;
  }

  statementsOf(roleArn: string): readonly CompiledStatement[] | undefined {
    const role = this.findRole(roleArn);
    return role && [...this.policiesOf(role)].flatMap(([, statements]) => statements);
  }

  trustOf(roleArn: string): ResourcePolicy | undefined {
    return this.findRole(roleArn)?.trust;
  }

  /** Everything that the roles may do. A managed policy's use counts for all that have it. */
  grants(): Grant[] {
    return [...this.roles.values()].flatMap((role) =>
      [...this.policiesOf(role)].flatMap(([name, statements]) =>
        statements.flatMap((statement, index) =>
          statement.grants().map((grant) => ({ logicalId: role.logicalId, statement: `${name}[${index}]`, ...grant })),
        ),
      ),
    );
  }

  /** ARN of the role of an instance profile, by the profile's name or ARN. */
  roleOfProfile(arnOrName: string): string | undefined {
    return [...this.profiles.values()].find(({ arn, name }) => arn === arnOrName || name === arnOrName)?.role.arn;
  }

  private createRole(properties: z.infer<typeof ROLE>, logicalId: string): Provisioned {
    const name = properties.RoleName ?? this.newName(logicalId);
    if (this.roles.has(name)) throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
    const unknown = properties.ManagedPolicyArns.find((arn) => !this.managed.has(arn));
    if (unknown) throw new AwsError('NoSuchEntity', `Policy ${unknown} is not modelled by the embedded AWS.`, 404);
    const role: Role = {
      name,
      logicalId,
      arn: this.arn('role', properties.Path, name),
      id: this.newId('AROA'),
      path: properties.Path,
      description: properties.Description,
      trustDocument: properties.AssumeRolePolicyDocument,
      trust: { statements: compile(properties.AssumeRolePolicyDocument), sovereign: true },
      inline: new Map(
        properties.Policies.map(({ PolicyName, PolicyDocument }) => [PolicyName, compile(PolicyDocument)]),
      ),
      managed: new Set(properties.ManagedPolicyArns),
      maxSessionSeconds: properties.MaxSessionDuration,
      createdAt: new Date(this.world.clock.now()),
      tags: properties.Tags,
    };
    this.roles.set(name, role);
    this.authority.forget();
    return { ref: name, attributes: { Arn: role.arn, RoleId: role.id } };
  }

  private createProfile(properties: z.infer<typeof INSTANCE_PROFILE>, logicalId: string): Provisioned {
    const name = properties.InstanceProfileName ?? this.newName(logicalId);
    if (this.profiles.has(name)) {
      throw new AwsError('EntityAlreadyExists', `Instance Profile ${name} already exists.`, 409);
    }
    const arn = this.arn('instance-profile', properties.Path, name);
    this.profiles.set(name, {
      name,
      arn,
      id: this.newId('AIPA'),
      path: properties.Path,
      role: this.role(properties.Roles[0]!),
      createdAt: new Date(this.world.clock.now()),
    });
    return { ref: name, attributes: { Arn: arn } };
  }

  private role(name: string): Role {
    const role = this.roles.get(name);
    if (!role) throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
    return role;
  }

  private findRole(arn: string): Role | undefined {
    const role = this.roles.get(arn.slice(arn.lastIndexOf('/') + 1));
    return role?.arn === arn ? role : undefined;
  }

  /** Its policies by name, with their statements. */
  private policiesOf({ inline, managed }: Role): Map<string, readonly CompiledStatement[]> {
    const attached = [...managed].map((arn) => [arn.slice(arn.lastIndexOf('/') + 1), this.managed.get(arn)!] as const);
    return new Map([...inline, ...attached]);
  }

  private profile(name: string): InstanceProfile {
    const profile = this.profiles.get(name);
    if (!profile) throw new AwsError('NoSuchEntity', `Instance Profile ${name} cannot be found.`, 404);
    return profile;
  }

  private arn(kind: string, path: string, name: string): string {
    return `arn:aws:iam::${this.world.account}:${kind}${path}${name}`;
  }

  /** As CloudFormation shortens what a role's name allows. */
  private newName(logicalId: string): string {
    return `${logicalId.slice(0, 51)}-${this.random.hex(12).toUpperCase()}`;
  }

  private newId(prefix: string): string {
    return prefix + this.random.hex(17).toUpperCase();
  }
}

/** @throws AwsError MalformedPolicyDocument for what is not modelled */
function compile(document: PolicyDocument): readonly CompiledStatement[] {
  try {
    return compilePolicy(document);
  } catch (error) {
    throw new AwsError('MalformedPolicyDocument', error instanceof Error ? error.message : String(error));
  }
}

const showRole = (role: Role) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: role.arn,
  CreateDate: role.createdAt,
  AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(role.trustDocument)),
  Description: role.description,
  MaxSessionDuration: role.maxSessionSeconds,
  Tags: role.tags,
});

const showProfile = (profile: InstanceProfile) => ({
  Path: profile.path,
  InstanceProfileName: profile.name,
  InstanceProfileId: profile.id,
  Arn: profile.arn,
  CreateDate: profile.createdAt,
  Roles: [showRole(profile.role)],
});
