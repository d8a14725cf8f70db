/** Input schemas of the operations. Legacy parameters (Expected, AttributeUpdates, KeyConditions, …) are refused. */
import { z } from 'zod';
import { RAW_ITEM } from './attribute-value';

const TABLE_NAME = z.string().min(1);
const NAMES = z.record(z.string(), z.string()).optional();
const EXPRESSION = z.string().optional();
/** Consumed capacity is not modelled. */
const CAPACITY = z.literal('NONE').optional();
const ON_FAILURE = z.enum(['NONE', 'ALL_OLD']).optional();

const PLACEHOLDERS = { ExpressionAttributeNames: NAMES, ExpressionAttributeValues: RAW_ITEM.optional() };

export const GET_ITEM = z.strictObject({
  TableName: TABLE_NAME,
  Key: RAW_ITEM,
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: EXPRESSION,
  ExpressionAttributeNames: NAMES,
  ReturnConsumedCapacity: CAPACITY,
});

const CONDITIONAL = {
  TableName: TABLE_NAME,
  ConditionExpression: EXPRESSION,
  ...PLACEHOLDERS,
  ReturnValuesOnConditionCheckFailure: ON_FAILURE,
};
const SINGLE = {
  ReturnConsumedCapacity: CAPACITY,
  ReturnItemCollectionMetrics: z.literal('NONE').optional(),
};
const RETURN_VALUES = z.enum(['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW']).optional();

const PUT = z.strictObject({ ...CONDITIONAL, Item: RAW_ITEM });
const UPDATE = z.strictObject({ ...CONDITIONAL, Key: RAW_ITEM, UpdateExpression: EXPRESSION });
const DELETE = z.strictObject({ ...CONDITIONAL, Key: RAW_ITEM });

export const PUT_ITEM = PUT.extend({ ...SINGLE, ReturnValues: RETURN_VALUES });
export const UPDATE_ITEM = UPDATE.extend({ ...SINGLE, ReturnValues: RETURN_VALUES });
export const DELETE_ITEM = DELETE.extend({ ...SINGLE, ReturnValues: RETURN_VALUES });

const TRANSACT_WRITE = z.strictObject({
  Put: PUT.optional(),
  Update: UPDATE.extend({ UpdateExpression: z.string() }).optional(),
  Delete: DELETE.optional(),
  ConditionCheck: DELETE.extend({ ConditionExpression: z.string() }).optional(),
});

export const TRANSACT_WRITE_ITEMS = z.strictObject({
  TransactItems: z.array(TRANSACT_WRITE).min(1).max(100),
  ClientRequestToken: z.string().min(1).max(36).optional(),
  ...SINGLE,
});

export const TRANSACT_GET_ITEMS = z.strictObject({
  TransactItems: z
    .array(
      z.strictObject({
        Get: GET_ITEM.omit({ ConsistentRead: true, ReturnConsumedCapacity: true }),
      }),
    )
    .min(1)
    .max(100),
  ReturnConsumedCapacity: CAPACITY,
});

const PAGE = {
  TableName: TABLE_NAME,
  ConsistentRead: z.boolean().optional(),
  FilterExpression: EXPRESSION,
  ProjectionExpression: EXPRESSION,
  ...PLACEHOLDERS,
  Limit: z.int().min(1).optional(),
  ExclusiveStartKey: RAW_ITEM.optional(),
  Select: z.enum(['ALL_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT']).optional(),
  ReturnConsumedCapacity: CAPACITY,
};

export const SCAN = z.strictObject(PAGE);
export const QUERY = z.strictObject({
  ...PAGE,
  KeyConditionExpression: z.string(),
  ScanIndexForward: z.boolean().optional(),
});

export const DESCRIBE_TABLE = z.strictObject({ TableName: TABLE_NAME });

export type GetItem = z.infer<typeof GET_ITEM>;
export type Put = z.infer<typeof PUT>;
export type Update = z.infer<typeof UPDATE>;
export type Delete = z.infer<typeof DELETE>;
export type TransactWrite = z.infer<typeof TRANSACT_WRITE>;
export type Scan = z.infer<typeof SCAN>;
export type Query = z.infer<typeof QUERY>;
