/** S3: buckets of the stack, and the bootstrap bucket with the assembly's assets. Path style only, no versions. */
import { z } from 'zod';
import type { Need } from '../iam/need';
import { RESOURCE_POLICY } from '../iam/policy';
import { type CompiledStatement, compilePolicy } from '../iam/statement';
import { page } from '../paging';
import { provision } from '../properties';
import { INTEGER } from '../scalars';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { AssetBucket, type PublishedAsset } from './asset-bucket';
import { type Bucket, MemoryBucket, type StoredObject, storedObject } from './bucket';

const BUCKET_NAME = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
/** Settings without an effect on what the embedded S3 does. */
const SETTING = z.record(z.string(), z.unknown()).optional();

const BUCKET = z.strictObject({
  BucketName: BUCKET_NAME.optional(),
  BucketEncryption: SETTING,
  LifecycleConfiguration: SETTING,
  OwnershipControls: SETTING,
  PublicAccessBlockConfiguration: SETTING,
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});
const BUCKET_POLICY = z.strictObject({ Bucket: z.string(), PolicyDocument: RESOURCE_POLICY });

const AT = { Bucket: z.string().min(1), Key: z.string().min(1).max(1024) };
const READ = z.strictObject({ ...AT, Range: z.string().optional() });
const PUT = z.strictObject({
  ...AT,
  Body: z.instanceof(Buffer).default(Buffer.alloc(0)),
  ContentType: z.string().optional(),
  Metadata: z.record(z.string(), z.string()).optional(),
  ServerSideEncryption: z.literal('AES256').optional(),
});
const LIST = z.strictObject({
  Bucket: z.string().min(1),
  Prefix: z.string().default(''),
  StartAfter: z.string().optional(),
  MaxKeys: INTEGER.pipe(z.int().min(0).max(1000)).default(1000),
  ContinuationToken: z.string().optional(),
  EncodingType: z.literal('url').optional(),
});

export interface S3Dependencies {
  /** Of the cloud assembly: the bucket each is published to exists from the start. */
  assets?: readonly PublishedAsset[];
}

export class S3 implements Service {
  readonly name = 's3';
  readonly protocol = 'rest-xml';
  readonly version = '2006-03-01';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly buckets = new Map<string, Bucket>();
  private readonly policies = new Map<string, readonly CompiledStatement[]>();

  constructor(
    private readonly world: World,
    { assets = [] }: S3Dependencies = {},
  ) {
    const random = world.random.fork('s3');
    const now = () => new Date(world.clock.now());
    for (const name of new Set(assets.map(({ bucket }) => bucket))) {
      this.buckets.set(
        name,
        new AssetBucket(
          assets.filter(({ bucket }) => bucket === name),
          now(),
        ),
      );
    }
    this.resources = {
      'AWS::S3::Bucket': provision('AWS::S3::Bucket', BUCKET, ({ BucketName }, logicalId) =>
        this.create(BucketName ?? `${logicalId.toLowerCase().slice(0, 50)}-${random.hex(12)}`),
      ),
      'AWS::S3::BucketPolicy': provision('AWS::S3::BucketPolicy', BUCKET_POLICY, (properties) => {
        this.bucket(properties.Bucket);
        this.policies.set(properties.Bucket, compilePolicy(properties.PolicyDocument));
        return { ref: properties.Bucket, attributes: {} };
      }),
    };
    this.operations = {
      GetObject: operation({
        input: READ,
        needs: ({ Bucket: bucket, Key }) => this.readNeeds(bucket, Key),
        handle: ({ Bucket: bucket, Key, Range }) => {
          const object = this.bucket(bucket).get(Key);
          if (!object) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key });
          return { ...describe(object), ...part(object.body, Range) };
        },
      }),
      HeadObject: operation({
        input: READ,
        needs: ({ Bucket: bucket, Key }) => this.readNeeds(bucket, Key),
        handle: ({ Bucket: bucket, Key }) => {
          const object = this.bucket(bucket).get(Key);
          if (!object) throw new AwsError('NotFound', 'Not Found', 404);
          return { ...describe(object), ContentLength: object.body.length };
        },
      }),
      PutObject: operation({
        input: PUT,
        needs: ({ Bucket: bucket, Key }) => [this.need('PutObject', bucket, Key)],
        handle: ({ Bucket: bucket, Key, Body, ContentType, Metadata }) => {
          const object = storedObject(Body, now(), ContentType, Metadata);
          this.bucket(bucket).put(Key, object);
          return { ETag: object.etag, ServerSideEncryption: 'AES256' };
        },
      }),
      DeleteObject: operation({
        input: z.strictObject(AT),
        needs: ({ Bucket: bucket, Key }) => [this.need('DeleteObject', bucket, Key)],
        handle: ({ Bucket: bucket, Key }) => {
          this.bucket(bucket).delete(Key);
          return {};
        },
      }),
      HeadBucket: operation({
        input: z.strictObject({ Bucket: z.string().min(1) }),
        needs: ({ Bucket: bucket }) => [this.need('ListBucket', bucket)],
        handle: ({ Bucket: bucket }) => {
          if (!this.buckets.has(bucket)) throw new AwsError('NotFound', 'Not Found', 404);
          return { BucketRegion: world.region };
        },
      }),
      ListObjectsV2: operation({
        input: LIST,
        needs: ({ Bucket: bucket }) => [this.need('ListBucket', bucket)],
        handle: (input) => this.list(input),
      }),
    };
  }

  /** An object's content, as CloudFormation reads a state machine's definition. Throws NoSuchBucket, NoSuchKey. */
  read(bucket: string, key: string): Buffer {
    const object = this.bucket(bucket).get(key);
    if (!object) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
    return object.body;
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
  private need(action: string, bucket: string, key?: string): Need {
    const statements = this.policies.get(bucket);
    return {
      action: `s3:${action}`,
      resource: `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`,
      policy: statements && { statements },
    };
  }

  /** "If the object does not exist", who may not list the bucket is told that he has no access. */
  private readNeeds(bucket: string, key: string): Need[] {
    const read = this.need('GetObject', bucket, key);
    return this.buckets.get(bucket)?.keys().includes(key) === false ? [read, this.need('ListBucket', bucket)] : [read];
  }

  private create(name: string): Provisioned {
    if (this.buckets.has(name)) {
      throw new AwsError('BucketAlreadyOwnedByYou', `The bucket ${name} exists already.`, 409);
    }
    this.buckets.set(name, new MemoryBucket());
    return {
      ref: name,
      attributes: {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${this.world.region}.amazonaws.com`,
      },
    };
  }

  private bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
    return bucket;
  }

  private list({
    Bucket: name,
    Prefix,
    StartAfter = '',
    MaxKeys,
    ContinuationToken,
    EncodingType,
  }: z.infer<typeof LIST>) {
    const bucket = this.bucket(name);
    const keys = bucket
      .keys()
      .filter((key) => key.startsWith(Prefix) && key > StartAfter)
      .sort();
    const refuse = () => new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
    const { items, nextToken } = page(keys, MaxKeys, ContinuationToken, refuse);
    return {
      Name: name,
      Prefix,
      MaxKeys,
      KeyCount: items.length,
      IsTruncated: nextToken !== undefined,
      ...(EncodingType ? { EncodingType } : {}),
      ...(nextToken === undefined ? {} : { NextContinuationToken: nextToken }),
      Contents: items.flatMap((key) => {
        const object = bucket.get(key);
        if (!object) return [];
        return {
          Key: EncodingType ? encodeURIComponent(key).replaceAll('%2F', '/') : key,
          LastModified: object.modifiedAt,
          ETag: object.etag,
          Size: object.body.length,
          StorageClass: 'STANDARD',
        };
      }),
    };
  }
}

const describe = ({ contentType, etag, metadata, modifiedAt }: StoredObject) => ({
  AcceptRanges: 'bytes',
  ContentType: contentType,
  ETag: etag,
  LastModified: modifiedAt,
  Metadata: metadata,
  ServerSideEncryption: 'AES256',
});

/** The whole body, or the part that `bytes=from-to` names. */
function part(body: Buffer, range: string | undefined) {
  if (range === undefined) return { Body: body, ContentLength: body.length };
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (from === '' && to === '') return { Body: body, ContentLength: body.length };
  const start = from === '' ? Math.max(0, body.length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? body.length - 1 : Math.min(Number(to), body.length - 1);
  if (start > end) {
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
  }
  return {
    Body: body.subarray(start, end + 1),
    ContentLength: end - start + 1,
    ContentRange: `bytes ${start}-${end}/${body.length}`,
  };
}
