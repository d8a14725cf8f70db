/** Secrets Manager: secrets that the stack generates, and reading them. There is no rotation and one version. */
import { z } from 'zod';
import type { Random } from '../random';
import type { Need } from './iam/need';
import { provision } from './properties';
import { BOOLEAN, INTEGER } from './scalars';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from './service';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html */
const GENERATE = z.strictObject({
  ExcludeCharacters: z.string().default(''),
  ExcludeLowercase: BOOLEAN.default(false),
  ExcludeNumbers: BOOLEAN.default(false),
  ExcludePunctuation: BOOLEAN.default(false),
  ExcludeUppercase: BOOLEAN.default(false),
  IncludeSpace: BOOLEAN.default(false),
  PasswordLength: INTEGER.pipe(z.int().min(1).max(4096)).default(32),
  RequireEachIncludedType: BOOLEAN.default(true),
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
});
type Generate = z.infer<typeof GENERATE>;

const SECRET = z.strictObject({
  Name: z
    .string()
    .regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/)
    .optional(),
  Description: z.string().optional(),
  GenerateSecretString: GENERATE.optional(),
  SecretString: z.string().optional(),
  KmsKeyId: z.string().optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});

const CURRENT = 'AWSCURRENT';
const GET_SECRET_VALUE = z.strictObject({
  SecretId: z.string().min(1).max(2048),
  VersionId: z.string().optional(),
  VersionStage: z.string().optional(),
});
const DESCRIBE_SECRET = z.strictObject({ SecretId: z.string().min(1).max(2048) });

interface Secret {
  name: string;
  arn: string;
  description: string | undefined;
  value: string;
  versionId: string;
  createdAt: Date;
  kmsKeyId: string | undefined;
  tags: { Key: string; Value: string }[];
}

export class SecretsManager implements Service {
  readonly name = 'secretsmanager';
  readonly protocol = 'json-1.1';
  readonly version = 'secretsmanager';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly random: Random;
  private readonly secrets = new Map<string, Secret>();

  constructor(private readonly world: World) {
    this.random = world.random.fork('secretsmanager');
    this.resources = {
      'AWS::SecretsManager::Secret': provision('AWS::SecretsManager::Secret', SECRET, (properties, logicalId) =>
        this.create(properties, logicalId),
      ),
    };
    this.operations = {
      GetSecretValue: operation({
        input: GET_SECRET_VALUE,
        needs: ({ SecretId }) => this.needs('GetSecretValue', SecretId),
        handle: ({ SecretId, VersionId, VersionStage = CURRENT }) => {
          const secret = this.find(SecretId);
          if (VersionStage !== CURRENT || (VersionId !== undefined && VersionId !== secret.versionId)) {
            const which = VersionId === undefined ? `staging label: ${VersionStage}` : `VersionId: ${VersionId}`;
            throw notFound(`Secrets Manager can't find the specified secret value for ${which}`);
          }
          return {
            ARN: secret.arn,
            Name: secret.name,
            VersionId: secret.versionId,
            SecretString: secret.value,
            VersionStages: [CURRENT],
            CreatedDate: secret.createdAt,
          };
        },
      }),
      DescribeSecret: operation({
        input: DESCRIBE_SECRET,
        needs: ({ SecretId }) => this.needs('DescribeSecret', SecretId),
        handle: ({ SecretId }) => {
          const secret = this.find(SecretId);
          return {
            ARN: secret.arn,
            Name: secret.name,
            Description: secret.description,
            KmsKeyId: secret.kmsKeyId,
            CreatedDate: secret.createdAt,
            LastChangedDate: secret.createdAt,
            Tags: secret.tags,
            VersionIdsToStages: { [secret.versionId]: [CURRENT] },
          };
        },
      }),
    };
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
  private needs(action: string, reference: string): Need[] {
    const { arn, tags } = this.find(reference);
    const context = Object.fromEntries(
      tags.flatMap(({ Key, Value }) => [
        [`aws:ResourceTag/${Key}`, Value],
        [`secretsmanager:ResourceTag/${Key}`, Value],
      ]),
    );
    return [{ action: `secretsmanager:${action}`, resource: arn, context }];
  }

  private create(properties: z.infer<typeof SECRET>, logicalId: string): Provisioned {
    const { random } = this;
    const { clock, region, account } = this.world;
    const { SecretString, GenerateSecretString } = properties;
    if ((SecretString === undefined) === (GenerateSecretString === undefined)) {
      throw new AwsError('InvalidRequestException', 'Give either SecretString or GenerateSecretString.');
    }
    const name = properties.Name ?? `${logicalId}-${random.hex(12).toUpperCase()}`;
    if (this.secrets.has(name)) {
      throw new AwsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
    }
    // Secrets Manager appends a hyphen and six characters: ARNs of a deleted and a new secret of one name differ.
    const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${characters(random, LETTERS, 6)}`;
    this.secrets.set(name, {
      name,
      arn,
      description: properties.Description,
      value: SecretString ?? generate(random, GenerateSecretString!),
      versionId: random.uuid(),
      createdAt: new Date(clock.now()),
      kmsKeyId: properties.KmsKeyId,
      tags: properties.Tags,
    });
    return { ref: arn, attributes: { Id: arn } };
  }

  /** By name, ARN, or ARN without its random suffix. */
  private find(reference: string): Secret {
    const found =
      this.secrets.get(reference) ??
      [...this.secrets.values()].find(({ arn }) => arn === reference || arn.slice(0, -'-xxxxxx'.length) === reference);
    if (!found) throw notFound("Secrets Manager can't find the specified secret.");
    return found;
  }
}

const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS = UPPER + LOWER;
const DIGITS = '0123456789';
/** Source: API reference of GetRandomPassword, ExcludePunctuation. */
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

function generate(random: Random, options: Generate): string {
  const { SecretStringTemplate, GenerateStringKey } = options;
  const generated = password(random, options);
  if (SecretStringTemplate === undefined && GenerateStringKey === undefined) return generated;
  if (SecretStringTemplate === undefined || GenerateStringKey === undefined) {
    throw new AwsError(
      'InvalidRequestException',
      'GenerateSecretString: SecretStringTemplate and GenerateStringKey go together.',
    );
  }
  const template = z.record(z.string(), z.unknown()).parse(JSON.parse(SecretStringTemplate));
  return JSON.stringify({ ...template, [GenerateStringKey]: generated });
}

function password(random: Random, options: Generate): string {
  const kinds = [
    options.ExcludeUppercase ? '' : UPPER,
    options.ExcludeLowercase ? '' : LOWER,
    options.ExcludeNumbers ? '' : DIGITS,
    options.ExcludePunctuation ? '' : PUNCTUATION,
    options.IncludeSpace ? ' ' : '',
  ]
    .map((kind) => [...kind].filter((character) => !options.ExcludeCharacters.includes(character)).join(''))
    .filter((kind) => kind !== '');
  const { PasswordLength } = options;
  const required = options.RequireEachIncludedType ? kinds : [];
  if (kinds.length === 0 || required.length > PasswordLength) {
    throw new AwsError('InvalidParameterException', 'GenerateSecretString: no password can satisfy these rules.');
  }
  const picked = required.map((kind) => characters(random, kind, 1));
  picked.push(...characters(random, kinds.join(''), PasswordLength - picked.length));
  return shuffled(random, picked).join('');
}

const characters = (random: Random, from: string, count: number) =>
  Array.from({ length: count }, () => random.pick([...from])).join('');

/** Fisher-Yates. */
function shuffled(random: Random, items: string[]): string[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.integer(index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}
