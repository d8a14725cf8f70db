/** The table resources of CloudFormation. A property that is not listed is refused. */
import { z } from 'zod';
import { BOOLEAN, INTEGER } from '../scalars';
import { AwsError } from '../service';
import type { KeyAttribute } from './table';

const TAGS = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional();
const RECOVERY = z
  .strictObject({ PointInTimeRecoveryEnabled: BOOLEAN, RecoveryPeriodInDays: INTEGER.optional() })
  .optional();

const COMMON = {
  TableName: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/)
    .optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: z
    .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
    .min(1)
    .max(2),
  /** Throughput is not modelled, so that only on-demand tables are honest. */
  BillingMode: z.literal('PAY_PER_REQUEST'),
};

export const TABLE = z.strictObject({
  ...COMMON,
  PointInTimeRecoverySpecification: RECOVERY,
  SSESpecification: z
    .strictObject({ SSEEnabled: BOOLEAN, SSEType: z.string().optional(), KMSMasterKeyId: z.string().optional() })
    .optional(),
  DeletionProtectionEnabled: BOOLEAN.optional(),
  /**
   * Expired items stay: DynamoDB deletes them "within a few days" and shows them until then, so that nobody may rely on
   * their absence. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
   */
  TimeToLiveSpecification: z.strictObject({ AttributeName: z.string().min(1).max(255), Enabled: BOOLEAN }).optional(),
  Tags: TAGS,
});

/** A global table with its one replica in this region. */
export const GLOBAL_TABLE = (region: string) =>
  z.strictObject({
    ...COMMON,
    SSESpecification: z.strictObject({ SSEEnabled: BOOLEAN, SSEType: z.string().optional() }).optional(),
    Replicas: z
      .array(
        z.strictObject({
          Region: z.literal(region),
          PointInTimeRecoverySpecification: RECOVERY,
          DeletionProtectionEnabled: BOOLEAN.optional(),
          Tags: TAGS,
        }),
      )
      .length(1),
  });

export interface TableShape {
  name: string | undefined;
  keys: { partitionKey: KeyAttribute; sortKey?: KeyAttribute };
}

interface Properties {
  TableName?: string | undefined;
  AttributeDefinitions: { AttributeName: string; AttributeType: KeyAttribute['type'] }[];
  KeySchema: { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[];
}

const invalid = (message: string) => new AwsError('ValidationError', message);

/** @throws AwsError ValidationError when key schema and attribute definitions do not name the same attributes */
export function toShape({ TableName, AttributeDefinitions, KeySchema }: Properties): TableShape {
  const keyOf = (kind: 'HASH' | 'RANGE'): KeyAttribute | undefined => {
    const entry = KeySchema.find(({ KeyType }) => KeyType === kind);
    if (!entry) return undefined;
    const definition = AttributeDefinitions.find(({ AttributeName }) => AttributeName === entry.AttributeName);
    if (!definition) throw invalid(`KeySchema: ${entry.AttributeName} is not among the AttributeDefinitions`);
    return { name: definition.AttributeName, type: definition.AttributeType };
  };
  const partitionKey = keyOf('HASH');
  const sortKey = keyOf('RANGE');
  if (!partitionKey) throw invalid('KeySchema: a table has exactly one HASH key');
  if (AttributeDefinitions.length !== KeySchema.length) {
    throw invalid('AttributeDefinitions: only key attributes are defined');
  }
  return { name: TableName, keys: { partitionKey, ...(sortKey ? { sortKey } : {}) } };
}
