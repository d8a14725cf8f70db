/** Schema fragments of EC2's operations (by their names on the wire) and CloudFormation types. */
import { z } from 'zod';
import { BOOLEAN, INTEGER } from '../scalars';

export const TAG = z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256).default('') });
export const TAGS = z.array(TAG).default([]);
export type Tag = z.infer<typeof TAG>;

export const IDS = z.array(z.string()).optional();

export const FILTERS = z.array(z.strictObject({ Name: z.string(), Value: z.array(z.string()).min(1) })).default([]);
export type Filters = z.infer<typeof FILTERS>;

/** What every paged Describe call takes beside its ids. */
export const DESCRIBE = {
  DryRun: BOOLEAN.default(false),
  Filter: FILTERS,
  MaxResults: INTEGER.pipe(z.int().min(5).max(1000)).optional(),
  NextToken: z.string().optional(),
};

/** Tags as EC2's XML lists them. */
export const tagSet = (tags: ReadonlyMap<string, string>) =>
  tags.size === 0 ? undefined : [...tags].map(([key, value]) => ({ key, value }));

/** Tags of one resource type out of a request's tag specifications. */
export const TAG_SPECIFICATIONS = z
  .array(
    z.strictObject({ ResourceType: z.enum(['instance', 'volume', 'network-interface', 'launch-template']), Tag: TAGS }),
  )
  .default([]);

export const tagMap = (tags: Tag[]) => new Map(tags.map(({ Key, Value }) => [Key, Value]));
