/**
 * ECR: private repositories with what a push and a pull need of the API. Images have one architecture each: indexes are
 * not modelled, nor are scan results, replication and other accounts' registries. Lifecycle policies are kept but expire
 * nothing: a run of the embedded AWS is shorter than their days and smaller than their numbers.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Caller } from '../../credentials';
import type { Need } from '../iam/need';
import { provision } from '../properties';
import { BOOLEAN } from '../scalars';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';

/** Hours a login lasts (API reference, GetAuthorizationToken). */
const LOGIN_HOURS = 12;

const NAME = z.string().regex(/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/);
const TAG = z.string().regex(/^[\w][\w.-]{0,127}$/);
const DIGEST = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const REPOSITORY = z.strictObject({
  RepositoryName: NAME.min(2).max(256).optional(),
  EmptyOnDelete: BOOLEAN.default(false),
  EncryptionConfiguration: z.strictObject({ EncryptionType: z.enum(['AES256', 'KMS']) }).optional(),
  ImageScanningConfiguration: z.strictObject({ ScanOnPush: BOOLEAN }).optional(),
  ImageTagMutability: z.enum(['MUTABLE', 'IMMUTABLE']).default('MUTABLE'),
  LifecyclePolicy: z.strictObject({ LifecyclePolicyText: z.string() }).optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});

const IMAGE_ID = z.strictObject({ imageTag: TAG.optional(), imageDigest: DIGEST.optional() });
const IN = { repositoryName: NAME };
const BATCH_GET_IMAGE = z.strictObject({ ...IN, imageIds: z.array(IMAGE_ID).min(1).max(100) });
const DESCRIBE_IMAGES = z.strictObject({ ...IN, imageIds: z.array(IMAGE_ID).min(1).max(100).optional() });
const LAYER = z.strictObject({ ...IN, layerDigest: DIGEST });
const LAYERS = z.strictObject({ ...IN, layerDigests: z.array(DIGEST).min(1).max(100) });
const PART = z.strictObject({
  ...IN,
  uploadId: z.uuid(),
  partFirstByte: z.int(),
  partLastByte: z.int(),
  layerPartBlob: z.base64(),
});
const COMPLETE = z.strictObject({ ...IN, uploadId: z.uuid(), layerDigests: z.array(DIGEST).length(1) });
const PUT_IMAGE = z.strictObject({ ...IN, imageManifest: z.string().min(1), imageTag: TAG });

interface Image {
  digest: string;
  manifest: string;
  pushedAt: Date;
}

interface Repository {
  name: string;
  arn: string;
  uri: string;
  immutable: boolean;
  /** By tag. */
  images: Map<string, Image>;
  layers: Map<string, Buffer>;
  uploads: Map<string, Buffer[]>;
}

export class Ecr implements Service {
  readonly name = 'ecr';
  readonly protocol = 'json-1.1';
  readonly version = 'AmazonEC2ContainerRegistry_V20150921';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  /** The host of every repository's URI. */
  readonly host: string;

  private readonly repositories = new Map<string, Repository>();
  private readonly logins = new Map<string, { caller: Caller; until: number }>();
  private readonly random;

  constructor(private readonly world: World) {
    this.random = world.random.fork('ecr');
    this.host = `${world.account}.dkr.ecr.${world.region}.amazonaws.com`;
    this.resources = {
      'AWS::ECR::Repository': provision('AWS::ECR::Repository', REPOSITORY, (properties, logicalId) =>
        this.create(properties, logicalId),
      ),
    };
    this.operations = {
      GetAuthorizationToken: operation({
        input: z.strictObject({}),
        handle: (_input, { caller }) => {
          const { token, until } = this.login(caller);
          return {
            authorizationData: [
              {
                authorizationToken: Buffer.from(`AWS:${token}`).toString('base64'),
                expiresAt: new Date(until),
                proxyEndpoint: `https://${this.host}`,
              },
            ],
          };
        },
      }),
      BatchGetImage: operation({
        input: BATCH_GET_IMAGE,
        needs: ({ repositoryName }) => [this.need('BatchGetImage', repositoryName)],
        handle: ({ repositoryName, imageIds }) => {
          const repository = this.find(repositoryName);
          const found = imageIds.map((imageId) => ({ imageId, image: imageOf(repository, imageId) }));
          return {
            images: found.flatMap(({ imageId, image }) =>
              image
                ? [
                    {
                      repositoryName,
                      imageId: { ...imageId, imageDigest: image.digest },
                      imageManifest: image.manifest,
                    },
                  ]
                : [],
            ),
            failures: found.flatMap(({ imageId, image }) =>
              image ? [] : [{ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }],
            ),
          };
        },
      }),
      DescribeImages: operation({
        input: DESCRIBE_IMAGES,
        needs: ({ repositoryName }) => [this.need('DescribeImages', repositoryName)],
        handle: ({ repositoryName, imageIds }) => {
          const repository = this.find(repositoryName);
          const tags = imageIds?.map((imageId) => this.tagOf(repository, imageId)) ?? [...repository.images.keys()];
          return {
            imageDetails: tags.map((tag) => {
              const { digest, pushedAt } = repository.images.get(tag)!;
              return { repositoryName, imageDigest: digest, imageTags: [tag], imagePushedAt: pushedAt };
            }),
          };
        },
      }),
      GetDownloadUrlForLayer: operation({
        input: LAYER,
        needs: ({ repositoryName }) => [this.need('GetDownloadUrlForLayer', repositoryName)],
        handle: ({ repositoryName, layerDigest }) => {
          if (!this.find(repositoryName).layers.has(layerDigest)) {
            throw new AwsError('LayersNotFoundException', `The layer ${layerDigest} does not exist in the repository`);
          }
          return {
            layerDigest,
            downloadUrl: `https://prod-${this.world.region}-starport-layer-bucket.s3.amazonaws.com/`,
          };
        },
      }),
      BatchCheckLayerAvailability: operation({
        input: LAYERS,
        needs: ({ repositoryName }) => [this.need('BatchCheckLayerAvailability', repositoryName)],
        handle: ({ repositoryName, layerDigests }) => {
          const { layers } = this.find(repositoryName);
          const availability = (digest: string) => (layers.has(digest) ? 'AVAILABLE' : 'UNAVAILABLE');
          return {
            layers: layerDigests.map((digest) => ({ layerDigest: digest, layerAvailability: availability(digest) })),
            failures: [],
          };
        },
      }),
      InitiateLayerUpload: operation({
        input: z.strictObject(IN),
        needs: ({ repositoryName }) => [this.need('InitiateLayerUpload', repositoryName)],
        handle: ({ repositoryName }) => {
          const uploadId = this.random.uuid();
          this.find(repositoryName).uploads.set(uploadId, []);
          return { uploadId, partSize: 10_485_760 };
        },
      }),
      UploadLayerPart: operation({
        input: PART,
        needs: ({ repositoryName }) => [this.need('UploadLayerPart', repositoryName)],
        handle: ({ repositoryName, uploadId, partLastByte, layerPartBlob }) => {
          this.upload(repositoryName, uploadId).push(Buffer.from(layerPartBlob, 'base64'));
          return { repositoryName, uploadId, lastByteReceived: partLastByte };
        },
      }),
      CompleteLayerUpload: operation({
        input: COMPLETE,
        needs: ({ repositoryName }) => [this.need('CompleteLayerUpload', repositoryName)],
        handle: ({ repositoryName, uploadId, layerDigests: [layerDigest = ''] }) => {
          const content = Buffer.concat(this.upload(repositoryName, uploadId));
          if (digestOf(content) !== layerDigest) {
            throw new AwsError('InvalidLayerException', 'The layer digest does not match the uploaded content.');
          }
          const { layers, uploads } = this.find(repositoryName);
          layers.set(layerDigest, content);
          uploads.delete(uploadId);
          return { repositoryName, uploadId, layerDigest };
        },
      }),
      PutImage: operation({
        input: PUT_IMAGE,
        needs: ({ repositoryName }) => [this.need('PutImage', repositoryName)],
        handle: ({ repositoryName, imageManifest, imageTag }) => {
          const repository = this.find(repositoryName);
          const digest = digestOf(Buffer.from(imageManifest));
          const existing = repository.images.get(imageTag);
          if (existing && repository.immutable && existing.digest !== digest) {
            throw new AwsError(
              'ImageTagAlreadyExistsException',
              `The image tag '${imageTag}' already exists in the '${repositoryName}' repository and cannot be ` +
                'overwritten because the repository is immutable.',
            );
          }
          repository.images.set(imageTag, {
            digest,
            manifest: imageManifest,
            pushedAt: new Date(this.world.clock.now()),
          });
          return { image: { repositoryName, imageId: { imageDigest: digest, imageTag } } };
        },
      }),
    };
  }

  /** Whose login a password is; undefined when it is none, or none any more. */
  authenticate(password: string): Caller | undefined {
    const login = this.logins.get(password);
    return login && login.until > this.world.clock.now() ? login.caller : undefined;
  }

  /** What a download URL leads to. */
  layer(repositoryName: string, digest: string): Buffer | undefined {
    return this.repositories.get(repositoryName)?.layers.get(digest);
  }

  private need(operation: string, repositoryName: string): Need {
    return { action: `ecr:${operation}`, resource: this.arn(repositoryName) };
  }

  private arn(repositoryName: string): string {
    return `arn:aws:ecr:${this.world.region}:${this.world.account}:repository/${repositoryName}`;
  }

  private create(properties: z.infer<typeof REPOSITORY>, logicalId: string): Provisioned {
    const { account } = this.world;
    const name = properties.RepositoryName ?? `${logicalId.toLowerCase()}-${this.random.hex(12)}`;
    if (this.repositories.has(name)) {
      throw new AwsError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${account}'`,
      );
    }
    const repository: Repository = {
      name,
      arn: this.arn(name),
      uri: `${this.host}/${name}`,
      immutable: properties.ImageTagMutability === 'IMMUTABLE',
      images: new Map(),
      layers: new Map(),
      uploads: new Map(),
    };
    this.repositories.set(name, repository);
    return { ref: name, attributes: { Arn: repository.arn, RepositoryUri: repository.uri } };
  }

  private login(caller: Caller): { token: string; until: number } {
    const token = Buffer.from(this.random.hex(64)).toString('base64');
    const until = this.world.clock.now() + LOGIN_HOURS * 3_600_000;
    this.logins.set(token, { caller, until });
    return { token, until };
  }

  private find(name: string): Repository {
    const repository = this.repositories.get(name);
    if (repository) return repository;
    throw new AwsError(
      'RepositoryNotFoundException',
      `The repository with name '${name}' does not exist in the registry with id '${this.world.account}'`,
    );
  }

  private tagOf(repository: Repository, { imageTag, imageDigest }: z.infer<typeof IMAGE_ID>): string {
    const found = [...repository.images].find(([tag, { digest }]) => tag === imageTag || digest === imageDigest);
    if (found) return found[0];
    throw new AwsError(
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'${imageDigest ?? 'null'}', imageTag:'${imageTag ?? 'null'}'} does not ` +
        `exist within the repository with name '${repository.name}' in the registry with id '${this.world.account}'`,
    );
  }

  private upload(repositoryName: string, uploadId: string): Buffer[] {
    const parts = this.find(repositoryName).uploads.get(uploadId);
    if (!parts) throw new AwsError('UploadNotFoundException', `The upload ${uploadId} does not exist`);
    return parts;
  }
}

function imageOf({ images }: Repository, { imageTag, imageDigest }: z.infer<typeof IMAGE_ID>): Image | undefined {
  if (imageTag !== undefined) return images.get(imageTag);
  return [...images.values()].find(({ digest }) => digest === imageDigest);
}

/** As registries name content. */
export const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;
