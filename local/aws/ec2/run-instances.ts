import { z } from 'zod';
import type { Random } from '../../random';
import { BOOLEAN, INTEGER } from '../scalars';
import { AwsError, type Operation, operation, type World } from '../service';
import type { Capacity } from './capacity';
import { describeInstance } from './describe';
import { get } from './ids';
import { resolveImage } from './images';
import type { Instance, NetworkInterface, Volume } from './instance';
import { instanceType } from './instance-types';
import { type LaunchTemplateData, type LaunchTemplates, METADATA_OPTIONS } from './launch-templates';
import type { Lifecycle } from './lifecycle';
import { type Launch, launchNeeds } from './permissions';
import type { Routing } from './routing';
import { TAG_SPECIFICATIONS, type Tag, tagMap } from './schema';
import type { SecurityGroups } from './security-groups';
import { checkTags } from './tags';
import type { Vpcs } from './vpc';

const INPUT = z.strictObject({
  ClientToken: z.string().max(64).optional(),
  DryRun: BOOLEAN.default(false),
  IamInstanceProfile: z.strictObject({ Arn: z.string().optional(), Name: z.string().optional() }).optional(),
  ImageId: z.string().optional(),
  InstanceType: z.string().optional(),
  LaunchTemplate: z
    .strictObject({
      LaunchTemplateId: z.string().optional(),
      LaunchTemplateName: z.string().optional(),
      Version: z.string().optional(),
    })
    .optional(),
  MaxCount: INTEGER.pipe(z.literal(1)),
  MinCount: INTEGER.pipe(z.literal(1)),
  SecurityGroupId: z.array(z.string()).optional(),
  SubnetId: z.string().optional(),
  TagSpecification: TAG_SPECIFICATIONS,
  UserData: z.string().optional(),
});
type Input = z.infer<typeof INPUT>;

const BARE: LaunchTemplateData = {
  BlockDeviceMappings: [],
  DisableApiTermination: false,
  InstanceInitiatedShutdownBehavior: 'stop',
  MetadataOptions: METADATA_OPTIONS.parse({}),
  Monitoring: { Enabled: false },
  SecurityGroupIds: [],
  TagSpecifications: [],
};

/** A token protects for as long as its instance is known, and outlives its termination by a day. */
const TOKEN_LIFETIME_MS = 86_400_000;

export interface RunInstancesDependencies {
  lifecycle: Lifecycle;
  vpcs: Vpcs;
  groups: SecurityGroups;
  templates: LaunchTemplates;
  routing: Routing;
  capacity: Capacity;
  nextAddress(): string;
  /** The role behind an instance profile's ARN or name; undefined when there is no such profile. */
  roleOfProfile(arnOrName: string): string | undefined;
}

/** RunInstances, one instance at a time. */
export function runInstances(world: World, dependencies: RunInstancesDependencies): Operation {
  const { lifecycle } = dependencies;
  const tokens = new Map<string, { parameters: string; instance: Instance }>();
  const ids = new InstanceIds(world.random);

  lifecycle.onState((instanceId, state) => {
    if (state !== 'terminated') return;
    const token = lifecycle.instances.get(instanceId)?.clientToken;
    if (token) world.clock.after(TOKEN_LIFETIME_MS, () => tokens.delete(token));
  });

  return operation<Input, unknown>({
    input: INPUT,
    latency: 'ec2.run-instances',
    waitsFor: ({ SubnetId }) => SubnetId,
    needs: (input) => launchNeeds(world, launchOf(world, dependencies, input)),
    handle: (input) => {
      const { ClientToken, DryRun, ...parameters } = input;
      const fingerprint = JSON.stringify(parameters);
      const earlier = ClientToken ? tokens.get(ClientToken) : undefined;
      if (earlier && earlier.parameters !== fingerprint) {
        throw new AwsError(
          'IdempotentParameterMismatch',
          'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
        );
      }
      if (earlier) return reservation(world, earlier.instance, dependencies.groups);
      const instance = prepare(world, dependencies, input, ids);
      if (DryRun) {
        throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
      }
      if (ClientToken) tokens.set(ClientToken, { parameters: fingerprint, instance });
      lifecycle.launch(instance);
      return reservation(world, instance, dependencies.groups);
    },
  });
}

function reservation(world: World, instance: Instance, groups: SecurityGroups) {
  return {
    reservationId: instance.reservationId,
    ownerId: world.account,
    groupSet: [],
    instancesSet: [describeInstance(world, instance, groups)],
  };
}

/**
 * The nth instance of a subnet has the same id however the launches are ordered in time: delays are drawn by it, so that
 * it meets the same ones.
 */
class InstanceIds {
  private readonly random: Random;
  private readonly launched = new Map<string, number>();

  constructor(random: Random) {
    this.random = random.fork('instance ids');
  }

  next(subnetId: string): string {
    const nth = this.launched.get(subnetId) ?? 0;
    this.launched.set(subnetId, nth + 1);
    return `i-0${this.random.fork(`${subnetId} ${nth}`).hex(16)}`;
  }
}

/** What a request and its template choose together. */
function choose(world: World, dependencies: RunInstancesDependencies, input: Input) {
  const template = input.LaunchTemplate && dependencies.templates.resolve(input.LaunchTemplate);
  const data = template?.data ?? BARE;
  const imageReference = input.ImageId ?? data.ImageId;
  if (!imageReference) throw new AwsError('MissingParameter', 'The request must contain the parameter ImageId');
  const image = resolveImage(imageReference);
  // AWS' own default, should neither the request nor the template name a type.
  const type = instanceType(input.InstanceType ?? data.InstanceType ?? 'm1.small');
  if (type.architecture !== image.architecture) {
    throw new AwsError(
      'InvalidParameterValue',
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`,
    );
  }
  if (!input.SubnetId) throw new AwsError('VPCIdNotSpecified', 'No default VPC for this user.');
  const subnet = dependencies.vpcs.subnet(input.SubnetId);
  const groupIds = groupsOf(
    input.SecurityGroupId ?? data.SecurityGroupIds,
    subnet.vpcId,
    subnet.subnetId,
    dependencies,
  );
  const profile = profileOf(world, input.IamInstanceProfile ?? data.IamInstanceProfile, dependencies);
  return {
    template,
    data,
    image,
    type,
    subnet,
    groupIds,
    profile,
    tagsOf: (resource: string) => tagsFor(resource, data, input),
  };
}

/** What a launch would make and use, as far as permissions are about it. */
function launchOf(world: World, dependencies: RunInstancesDependencies, input: Input): Launch {
  const { template, image, type, groupIds, profile, ...chosen } = choose(world, dependencies, input);
  return {
    ...chosen,
    ...profile,
    template: template?.template,
    overrides: {
      image: input.ImageId !== undefined,
      type: input.InstanceType !== undefined,
      groups: input.SecurityGroupId !== undefined,
    },
    imageId: image.imageId,
    type: type.name,
    groups: groupIds.map((id) => get('sg', dependencies.groups.all, id)),
  };
}

/** Checks everything that EC2 checks before it launches, and assembles the instance. */
function prepare(world: World, dependencies: RunInstancesDependencies, input: Input, ids: InstanceIds): Instance {
  const { capacity, lifecycle, routing } = dependencies;
  const { template, data, image, type, subnet, groupIds, profile, tagsOf } = choose(world, dependencies, input);
  const tags = tagsOf('instance');
  capacity.claim(subnet.zone, type.name);

  if (template) {
    tags.set('aws:ec2launchtemplate:id', template.template.launchTemplateId);
    tags.set('aws:ec2launchtemplate:version', String(template.version));
  }
  const now = world.clock.now();
  const instanceId = ids.next(subnet.subnetId);
  const privateIp = freeAddress(lifecycle, dependencies.nextAddress);
  const publicIp = subnet.public ? routing.publicAddress() : undefined;
  const networkInterface: NetworkInterface = {
    networkInterfaceId: `eni-0${world.random.hex(16)}`,
    macAddress: `0a:${world.random.hex(10).match(/../g)!.join(':')}`,
    instanceId,
    subnetId: subnet.subnetId,
    vpcId: subnet.vpcId,
    zone: subnet.zone,
    privateIp,
    publicIp,
    groups: groupIds,
    attachedAt: now,
    tags: tagsOf('network-interface'),
  };
  return {
    instanceId,
    reservationId: `r-0${world.random.hex(16)}`,
    imageId: image.imageId,
    type,
    subnetId: subnet.subnetId,
    vpcId: subnet.vpcId,
    zone: subnet.zone,
    privateIp,
    publicIp,
    groups: groupIds,
    createdAt: now,
    launchedAt: now,
    clientToken: input.ClientToken,
    state: 'pending',
    transitionReason: '',
    ...profile,
    userData: Buffer.from(input.UserData ?? data.UserData ?? '', 'base64').toString('utf8'),
    metadataOptions: data.MetadataOptions,
    monitoring: data.Monitoring.Enabled,
    ebsOptimized: data.EbsOptimized ?? false,
    terminationProtected: data.DisableApiTermination,
    tags,
    volumes: volumesOf(world, data, image, { instanceId, zone: subnet.zone, tags: tagsOf('volume') }),
    networkInterface,
    epoch: 0,
    hosted: Promise.resolve(),
  };
}

function groupsOf(
  requested: string[],
  vpcId: string,
  subnetId: string,
  { groups, vpcs }: RunInstancesDependencies,
): string[] {
  const ids = requested.length > 0 ? requested : [get('vpc', vpcs.all, vpcId).defaultSecurityGroup];
  for (const id of ids) {
    if (get('sg', groups.all, id).vpcId !== vpcId) {
      throw new AwsError(
        'InvalidParameter',
        `Security group ${id} and subnet ${subnetId} belong to different networks.`,
      );
    }
  }
  return ids;
}

function profileOf(
  world: World,
  profile: Input['IamInstanceProfile'],
  { roleOfProfile }: RunInstancesDependencies,
): { profileArn?: string; roleArn?: string } {
  const reference = profile?.Arn ?? profile?.Name;
  if (!profile || reference === undefined) return {};
  const roleArn = roleOfProfile(reference);
  if (!roleArn) {
    const kind = profile.Arn ? 'arn' : 'name';
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${reference}) for parameter iamInstanceProfile.${kind} is invalid. Invalid IAM Instance Profile ${kind}`,
    );
  }
  return { profileArn: profile.Arn ?? `arn:aws:iam::${world.account}:instance-profile/${reference}`, roleArn };
}

/** The request's tags win over the template's. */
function tagsFor(resource: string, data: LaunchTemplateData, input: Input): Map<string, string> {
  const ofTemplate: Tag[] = data.TagSpecifications.filter(({ ResourceType }) => ResourceType === resource).flatMap(
    ({ Tags }) => Tags,
  );
  const ofRequest = input.TagSpecification.filter(({ ResourceType }) => ResourceType === resource).flatMap(
    ({ Tag }) => Tag,
  );
  checkTags([...ofTemplate, ...ofRequest]);
  return tagMap([...ofTemplate, ...ofRequest]);
}

function volumesOf(
  world: World,
  data: LaunchTemplateData,
  image: { rootDeviceName: string; sizeGiB: number },
  owner: { instanceId: string; zone: string; tags: Map<string, string> },
): Volume[] {
  const devices = new Map<string, LaunchTemplateData['BlockDeviceMappings'][number]['Ebs']>([
    [image.rootDeviceName, { DeleteOnTermination: true, Encrypted: false, VolumeType: 'gp3' }],
    ...data.BlockDeviceMappings.map(({ DeviceName, Ebs }) => [DeviceName, Ebs] as const),
  ]);
  return [...devices].map(([device, ebs]) => {
    const least = device === image.rootDeviceName ? image.sizeGiB : 1;
    const sizeGiB = ebs.VolumeSize ?? least;
    if (sizeGiB < least) {
      throw new AwsError(
        'InvalidBlockDeviceMapping',
        `Volume of size ${sizeGiB}GB is smaller than its snapshot, expect size >= ${least}GB`,
      );
    }
    const gp3 = ebs.VolumeType === 'gp3';
    return {
      volumeId: `vol-0${world.random.hex(16)}`,
      device,
      sizeGiB,
      type: ebs.VolumeType,
      encrypted: ebs.Encrypted,
      iops: ebs.Iops ?? (gp3 ? 3000 : undefined),
      throughput: ebs.Throughput ?? (gp3 ? 125 : undefined),
      kmsKeyId: ebs.KmsKeyId,
      deleteOnTermination: ebs.DeleteOnTermination,
      zone: owner.zone,
      createdAt: world.clock.now(),
      instanceId: owner.instanceId,
      tags: new Map(owner.tags),
    };
  });
}

/** The local block has 200-odd addresses, which come round again: one in use is passed over. */
function freeAddress(lifecycle: Lifecycle, nextAddress: () => string): string {
  const used = new Set([...lifecycle.instances.values()].map(({ privateIp }) => privateIp));
  for (let attempt = 0; attempt < 256; attempt++) {
    const address = nextAddress();
    if (!used.has(address)) return address;
  }
  throw new AwsError(
    'InsufficientFreeAddressesInSubnet',
    'There are not enough free addresses in the subnet to satisfy the requested number of instances.',
  );
}
