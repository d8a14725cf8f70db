/** KMS: keys and aliases exist and can be described. Nothing is encrypted here. */
import { z } from 'zod';
import { RESOURCE_POLICY } from './iam/policy';
import { type CompiledStatement, compilePolicy } from './iam/statement';
import { provision } from './properties';
import { BOOLEAN, INTEGER } from './scalars';
import { AwsError, type Operation, operation, type Provision, type Service, type World } from './service';

const KEY = z.strictObject({
  Description: z.string().default(''),
  Enabled: BOOLEAN.default(true),
  EnableKeyRotation: BOOLEAN.default(false),
  KeyPolicy: RESOURCE_POLICY.optional(),
  KeySpec: z.literal('SYMMETRIC_DEFAULT').optional(),
  KeyUsage: z.literal('ENCRYPT_DECRYPT').optional(),
  PendingWindowInDays: INTEGER.pipe(z.int().min(7).max(30)).optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});
const ALIAS = z.strictObject({ AliasName: z.string().regex(/^alias\/[\w/-]+$/), TargetKeyId: z.string() });

interface Key {
  id: string;
  arn: string;
  description: string;
  enabled: boolean;
  createdAt: Date;
  policy: readonly CompiledStatement[];
}

export class Kms implements Service {
  readonly name = 'kms';
  readonly protocol = 'json-1.1';
  readonly version = 'TrentService';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly keys = new Map<string, Key>();
  private readonly aliases = new Map<string, Key>();

  constructor(private readonly world: World) {
    const random = world.random.fork('kms');
    this.resources = {
      'AWS::KMS::Key': provision('AWS::KMS::Key', KEY, ({ Description, Enabled, KeyPolicy }) => {
        const id = random.uuid();
        const arn = `arn:aws:kms:${world.region}:${world.account}:key/${id}`;
        const createdAt = new Date(world.clock.now());
        const policy = compilePolicy(KeyPolicy ?? defaultPolicy(world.account));
        this.keys.set(id, { id, arn, description: Description, enabled: Enabled, createdAt, policy });
        return { ref: id, attributes: { Arn: arn, KeyId: id } };
      }),
      'AWS::KMS::Alias': provision('AWS::KMS::Alias', ALIAS, ({ AliasName, TargetKeyId }) => {
        this.aliases.set(AliasName, this.find(TargetKeyId));
        return { ref: AliasName, attributes: {} };
      }),
    };
    this.operations = {
      DescribeKey: operation({
        input: z.strictObject({ KeyId: z.string().min(1) }),
        needs: ({ KeyId }) => {
          const { arn, policy } = this.find(KeyId);
          return [{ action: 'kms:DescribeKey', resource: arn, policy: { statements: policy, sovereign: true } }];
        },
        handle: ({ KeyId }) => {
          const { id, arn, description, enabled, createdAt } = this.find(KeyId);
          return {
            KeyMetadata: {
              AWSAccountId: world.account,
              KeyId: id,
              Arn: arn,
              Description: description,
              Enabled: enabled,
              KeyState: enabled ? 'Enabled' : 'Disabled',
              KeyManager: 'CUSTOMER',
              KeySpec: 'SYMMETRIC_DEFAULT',
              KeyUsage: 'ENCRYPT_DECRYPT',
              CreationDate: createdAt,
            },
          };
        },
      }),
    };
  }

  /** By key id, key ARN, alias or alias ARN. */
  private find(reference: string): Key {
    const name = reference.slice(reference.startsWith('arn:') ? reference.lastIndexOf(':') + 1 : 0);
    const key = this.keys.get(name.replace(/^key\//, '')) ?? this.aliases.get(name);
    if (!key) {
      const arn = `arn:aws:kms:${this.world.region}:${this.world.account}:key/${name}`;
      throw new AwsError('NotFoundException', `Key '${arn}' does not exist`);
    }
    return key;
  }
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
const defaultPolicy = (account: string) =>
  RESOURCE_POLICY.parse({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  });
