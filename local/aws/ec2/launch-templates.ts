/** Launch templates. A stack update adds a version; old ones stay launchable. */
import { z } from 'zod';
import { provision } from '../properties';
import { BOOLEAN, INTEGER } from '../scalars';
import { AwsError, type Operation, operation, type Provision, type World } from '../service';
import { filter, page } from './filters';
import { get, select } from './ids';
import { resolveImage } from './images';
import { instanceType } from './instance-types';
import { DESCRIBE, IDS, TAG, TAGS, tagMap, tagSet } from './schema';
import type { SecurityGroups } from './security-groups';

export const BLOCK_DEVICE = z.strictObject({
  DeviceName: z.string(),
  Ebs: z.strictObject({
    DeleteOnTermination: BOOLEAN.default(true),
    Encrypted: BOOLEAN.default(false),
    Iops: INTEGER.optional(),
    KmsKeyId: z.string().optional(),
    Throughput: INTEGER.optional(),
    VolumeSize: INTEGER.optional(),
    VolumeType: z.enum(['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard']).default('gp2'),
  }),
});

export const METADATA_OPTIONS = z.strictObject({
  HttpEndpoint: z.enum(['enabled', 'disabled']).default('enabled'),
  HttpProtocolIpv6: z.enum(['enabled', 'disabled']).default('disabled'),
  HttpPutResponseHopLimit: INTEGER.pipe(z.int().min(1).max(64)).default(1),
  HttpTokens: z.enum(['optional', 'required']).default('optional'),
  InstanceMetadataTags: z.enum(['enabled', 'disabled']).default('disabled'),
});

const LAUNCH_TEMPLATE_DATA = z.strictObject({
  BlockDeviceMappings: z.array(BLOCK_DEVICE).default([]),
  CreditSpecification: z.strictObject({ CpuCredits: z.enum(['standard', 'unlimited']) }).optional(),
  DisableApiTermination: BOOLEAN.default(false),
  EbsOptimized: BOOLEAN.optional(),
  IamInstanceProfile: z.strictObject({ Arn: z.string().optional(), Name: z.string().optional() }).optional(),
  ImageId: z.string().optional(),
  InstanceInitiatedShutdownBehavior: z.enum(['stop', 'terminate']).default('stop'),
  InstanceType: z.string().optional(),
  MetadataOptions: METADATA_OPTIONS.default(() => METADATA_OPTIONS.parse({})),
  Monitoring: z.strictObject({ Enabled: BOOLEAN }).default({ Enabled: false }),
  SecurityGroupIds: z.array(z.string()).default([]),
  TagSpecifications: z
    .array(z.strictObject({ ResourceType: z.enum(['instance', 'volume', 'network-interface']), Tags: z.array(TAG) }))
    .default([]),
  UserData: z.string().optional(),
});
export type LaunchTemplateData = z.infer<typeof LAUNCH_TEMPLATE_DATA>;

/** Of user data before it is encoded. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html */
const USER_DATA_LIMIT = 16384;

export interface LaunchTemplate {
  launchTemplateId: string;
  name: string;
  createdAt: number;
  /** Version n is element n − 1. */
  versions: { createdAt: number; data: LaunchTemplateData }[];
  defaultVersion: number;
  tags: Map<string, string>;
}

export interface LaunchTemplateReference {
  LaunchTemplateId?: string;
  LaunchTemplateName?: string;
  Version?: string;
}

export class LaunchTemplates {
  readonly all = new Map<string, LaunchTemplate>();

  constructor(
    private readonly world: World,
    private readonly groups: SecurityGroups,
  ) {}

  /**
   * The template and version that a launch names; without a version, the default one.
   *
   * @throws AwsError InvalidLaunchTemplateId.NotFound, InvalidLaunchTemplateId.VersionNotFound, …
   */
  resolve(reference: LaunchTemplateReference): { template: LaunchTemplate; version: number; data: LaunchTemplateData } {
    const template = this.find(reference);
    const version = this.version(template, reference.Version ?? '$Default');
    return { template, version, data: template.versions[version - 1]!.data };
  }

  private find({ LaunchTemplateId, LaunchTemplateName }: LaunchTemplateReference): LaunchTemplate {
    if ((LaunchTemplateId === undefined) === (LaunchTemplateName === undefined)) {
      throw new AwsError(
        'MissingParameter',
        'When using a LaunchTemplate, exactly one of the launch template ID or name must be specified',
      );
    }
    if (LaunchTemplateId !== undefined) {
      if (!/^lt-[0-9a-f]{17}$/.test(LaunchTemplateId)) {
        throw new AwsError('InvalidLaunchTemplateId.Malformed', `Invalid launch template ID "${LaunchTemplateId}"`);
      }
      return get('lt', this.all, LaunchTemplateId);
    }
    const named = [...this.all.values()].find(({ name }) => name === LaunchTemplateName);
    if (named) return named;
    throw new AwsError(
      'InvalidLaunchTemplateName.NotFoundException',
      `The specified launch template, with template name ${LaunchTemplateName}, does not exist.`,
    );
  }

  private version(template: LaunchTemplate, version: string): number {
    if (version === '$Default') return template.defaultVersion;
    if (version === '$Latest') return template.versions.length;
    const number = Number(version);
    if (Number.isInteger(number) && number >= 1 && number <= template.versions.length) return number;
    throw new AwsError(
      'InvalidLaunchTemplateId.VersionNotFound',
      `Could not find launch template version ${version} for template ${template.launchTemplateId}`,
    );
  }

  /** References that EC2 checks when a template is made; the rest it checks at launch. */
  private check(data: LaunchTemplateData): void {
    if (data.InstanceType !== undefined) instanceType(data.InstanceType);
    if (data.ImageId !== undefined) resolveImage(data.ImageId);
    for (const id of data.SecurityGroupIds) get('sg', this.groups.all, id);
    const size = Buffer.from(data.UserData ?? '', 'base64').length;
    if (size > USER_DATA_LIMIT) {
      throw new AwsError('InvalidUserData.Malformed', `User data is limited to ${USER_DATA_LIMIT} bytes, has ${size}`);
    }
    if (data.UserData !== undefined && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(data.UserData)) {
      throw new AwsError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
    }
  }

  readonly operations: Record<string, Operation> = {
    DescribeLaunchTemplates: operation({
      input: z.strictObject({ ...DESCRIBE, LaunchTemplateId: IDS, LaunchTemplateName: IDS }),
      handle: (input) => {
        const byId = select('lt', this.all, input.LaunchTemplateId);
        const named = byId.filter(({ name }) => input.LaunchTemplateName?.includes(name) ?? true);
        const found = filter(named, input.Filter, { 'launch-template-name': ({ name }) => name });
        const { items, nextToken } = page(found, ({ launchTemplateId }) => launchTemplateId, input);
        return {
          launchTemplates: items.map((template) => ({
            ...this.head(template),
            createTime: new Date(template.createdAt),
            defaultVersionNumber: template.defaultVersion,
            latestVersionNumber: template.versions.length,
            tagSet: tagSet(template.tags),
          })),
          nextToken,
        };
      },
    }),
    DescribeLaunchTemplateVersions: operation({
      input: z.strictObject({
        DryRun: DESCRIBE.DryRun,
        LaunchTemplateId: z.string().optional(),
        LaunchTemplateName: z.string().optional(),
        LaunchTemplateVersion: IDS,
        ResolveAlias: BOOLEAN.default(false),
      }),
      handle: (input) => {
        const template = this.find(input);
        const versions = input.LaunchTemplateVersion?.map((version) => this.version(template, version));
        const shown = versions ?? template.versions.map((_, index) => index + 1);
        return {
          launchTemplateVersionSet: shown.map((number) => ({
            ...this.head(template),
            versionNumber: number,
            createTime: new Date(template.versions[number - 1]!.createdAt),
            defaultVersion: number === template.defaultVersion,
            launchTemplateData: describeData(template.versions[number - 1]!.data, input.ResolveAlias),
          })),
        };
      },
    }),
  };

  private head({ launchTemplateId, name }: LaunchTemplate) {
    return {
      launchTemplateId,
      launchTemplateName: name,
      createdBy: `arn:aws:iam::${this.world.account}:root`,
    };
  }

  readonly resources: Record<string, Provision> = {
    'AWS::EC2::LaunchTemplate': provision(
      'AWS::EC2::LaunchTemplate',
      z.strictObject({
        LaunchTemplateData: LAUNCH_TEMPLATE_DATA,
        LaunchTemplateName: z
          .string()
          .regex(/^[a-zA-Z0-9().\-/_]{3,128}$/)
          .optional(),
        TagSpecifications: z
          .array(z.strictObject({ ResourceType: z.literal('launch-template'), Tags: TAGS }))
          .default([]),
        VersionDescription: z.string().max(255).optional(),
      }),
      (properties, logicalId) => {
        this.check(properties.LaunchTemplateData);
        const name = properties.LaunchTemplateName ?? `${logicalId}_${this.world.random.hex(12)}`;
        if ([...this.all.values()].some((template) => template.name === name)) {
          throw new AwsError(
            'InvalidLaunchTemplateName.AlreadyExistsException',
            `Launch template name already in use: ${name}`,
          );
        }
        const createdAt = this.world.clock.now();
        const template: LaunchTemplate = {
          launchTemplateId: `lt-0${this.world.random.hex(16)}`,
          name,
          createdAt,
          versions: [{ createdAt, data: properties.LaunchTemplateData }],
          defaultVersion: 1,
          tags: tagMap(properties.TagSpecifications.flatMap(({ Tags }) => Tags)),
        };
        this.all.set(template.launchTemplateId, template);
        return {
          ref: template.launchTemplateId,
          attributes: {
            LaunchTemplateId: template.launchTemplateId,
            DefaultVersionNumber: String(template.defaultVersion),
            LatestVersionNumber: String(template.versions.length),
          },
        };
      },
    ),
  };
}

function describeData(data: LaunchTemplateData, resolveAlias: boolean) {
  const { IamInstanceProfile, MetadataOptions, CreditSpecification } = data;
  return {
    imageId: data.ImageId && resolveAlias ? resolveImage(data.ImageId).imageId : data.ImageId,
    instanceType: data.InstanceType,
    userData: data.UserData,
    iamInstanceProfile: IamInstanceProfile && { arn: IamInstanceProfile.Arn, name: IamInstanceProfile.Name },
    blockDeviceMappingSet: data.BlockDeviceMappings.map(({ DeviceName, Ebs }) => ({
      deviceName: DeviceName,
      ebs: {
        deleteOnTermination: Ebs.DeleteOnTermination,
        encrypted: Ebs.Encrypted,
        iops: Ebs.Iops,
        kmsKeyId: Ebs.KmsKeyId,
        throughput: Ebs.Throughput,
        volumeSize: Ebs.VolumeSize,
        volumeType: Ebs.VolumeType,
      },
    })),
    creditSpecification: CreditSpecification && { cpuCredits: CreditSpecification.CpuCredits },
    disableApiTermination: data.DisableApiTermination,
    ebsOptimized: data.EbsOptimized,
    instanceInitiatedShutdownBehavior: data.InstanceInitiatedShutdownBehavior,
    metadataOptions: {
      httpEndpoint: MetadataOptions.HttpEndpoint,
      httpProtocolIpv6: MetadataOptions.HttpProtocolIpv6,
      httpPutResponseHopLimit: MetadataOptions.HttpPutResponseHopLimit,
      httpTokens: MetadataOptions.HttpTokens,
      instanceMetadataTags: MetadataOptions.InstanceMetadataTags,
    },
    monitoring: { enabled: data.Monitoring.Enabled },
    securityGroupIdSet: data.SecurityGroupIds,
    tagSpecificationSet: data.TagSpecifications.map(({ ResourceType, Tags }) => ({
      resourceType: ResourceType,
      tagSet: tagSet(tagMap(Tags)),
    })),
  };
}
