import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Aws, CustomResource, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { anyResource } from './permissions';

/** The function's, which waits for the build: the longest that Lambda knows. */
export const BUILD_LIMIT = Duration.minutes(15);

/**
 * A container of the image's own architecture: an emulator is not needed, and CodeBuild's have none.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html
 */
const BUILDER = {
  x86_64: {
    platform: 'linux/amd64',
    type: 'LINUX_CONTAINER',
    image: codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5.imageId,
  },
  arm64: {
    platform: 'linux/arm64',
    type: 'ARM_CONTAINER',
    image: codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0.imageId,
  },
} as const;

/** A tag is never overwritten, so an image that is there already, as after a rollback, is not built again. */
const BUILDSPEC = {
  version: '0.2',
  phases: {
    build: {
      commands: [
        'aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "$REGISTRY"',
        'docker manifest inspect "$IMAGE" >/dev/null || ' +
          '{ docker build --platform "$PLATFORM" --tag "$IMAGE" . && docker push "$IMAGE"; }',
      ],
    },
  },
};

export interface EchoImageProps {
  readonly config: Config;
  /** The project: tcpecho/ is read below it. */
  readonly root: string;
}

/**
 * The echo service's image, built when the stack is deployed, in AWS: whoever deploys needs no Docker. For the servers'
 * architecture only; a change of tcpecho/ is another tag.
 */
export class EchoImage extends Construct {
  readonly repository: ecr.Repository;
  /** Known when the stack is synthesized, unlike the repository's name. */
  readonly tag: string;
  readonly projectName: string;
  readonly projectArn: string;
  private readonly project: codebuild.CfnProject;

  constructor(scope: Construct, id: string, { config, root }: EchoImageProps) {
    super(scope, id);
    const { platform, type, image } = BUILDER[config.architecture];
    const source = new Asset(this, 'Source', { path: join(root, 'tcpecho'), exclude: ['README.md'] });
    const buildSpec = JSON.stringify(BUILDSPEC);
    this.tag = createHash('sha256')
      .update(JSON.stringify([source.assetHash, buildSpec, platform, image]))
      .digest('hex')
      .slice(0, 16);

    this.repository = new ecr.Repository(this, 'Repository', {
      encryption: ecr.RepositoryEncryption.AES_256,
      imageScanOnPush: true,
      imageTagMutability: ecr.TagMutability.IMMUTABLE,
      // Enough to go back; a server that is launched pulls the newest.
      lifecycleRules: [{ description: 'the ten newest', maxImageCount: 10 }],
      emptyOnDelete: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = this.buildRole(config, source, logGroup);
    const variables = {
      PLATFORM: platform,
      REGISTRY: this.registry,
      IMAGE: `${this.repository.repositoryUri}:${this.tag}`,
    };
    // Not the construct of a higher level: its role may write every log group that is named like one of its projects,
    // and create test reports.
    this.project = new codebuild.CfnProject(this, 'Project', {
      description: `Builds the echo image of ${config.name}`,
      artifacts: { type: 'NO_ARTIFACTS' },
      source: { type: 'S3', location: `${source.s3BucketName}/${source.s3ObjectKey}`, buildSpec },
      environment: {
        type,
        image,
        computeType: 'BUILD_GENERAL1_SMALL',
        // Docker runs in the container.
        privilegedMode: true,
        environmentVariables: Object.entries(variables).map(([name, value]) => ({ name, value, type: 'PLAINTEXT' })),
      },
      logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: logGroup.logGroupName } },
      serviceRole: role.roleArn,
      timeoutInMinutes: 5,
      queuedTimeoutInMinutes: 5,
    });
    this.projectName = this.project.ref;
    this.projectArn = this.project.attrArn;
  }

  /** The host that nodes log in to. */
  get registry(): string {
    return Fn.select(0, Fn.split('/', this.repository.repositoryUri));
  }

  /** The deployment succeeds when the image is there. */
  buildWith(fn: lambda.Function): void {
    new CustomResource(this, 'Build', {
      resourceType: 'Custom::EchoImage',
      serviceToken: fn.functionArn,
      serviceTimeout: BUILD_LIMIT,
      // Another tag is another build. The function does not read it.
      properties: { Tag: this.tag },
    }).node.addDependency(this.project, fn);
  }

  private buildRole(config: Config, source: Asset, logGroup: logs.LogGroup): iam.Role {
    return new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: `Builds the echo image of ${config.name}`,
      inlinePolicies: {
        // https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
        Build: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
            new iam.PolicyStatement({
              actions: ['s3:GetObject', 's3:GetObjectVersion'],
              resources: [source.bucket.arnForObjects(source.s3ObjectKey)],
            }),
            new iam.PolicyStatement({
              actions: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
              resources: [source.bucket.bucketArn],
            }),
          ],
        }),
        // https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
        Push: new iam.PolicyDocument({
          statements: [
            anyResource('ecr:GetAuthorizationToken'),
            new iam.PolicyStatement({
              actions: [
                'ecr:BatchCheckLayerAvailability',
                'ecr:InitiateLayerUpload',
                'ecr:UploadLayerPart',
                'ecr:CompleteLayerUpload',
                'ecr:PutImage',
                // Is it there already?
                'ecr:BatchGetImage',
                'ecr:GetDownloadUrlForLayer',
              ],
              resources: [this.repository.repositoryArn],
            }),
          ],
        }),
      },
    });
  }
}
