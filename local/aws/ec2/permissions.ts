/**
 * What EC2's operations need: the resources that they touch, each with the condition keys that EC2 fills in for it.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
import { arnOf } from '../arn';
import type { Context, Need } from '../iam/need';
import type { World } from '../service';
import type { Instance } from './instance';
import type { LaunchTemplateData } from './launch-templates';
import type { Tag } from './schema';
import type { Taggable } from './tags';
import type { Subnet } from './vpc';

const isTrue = (value: boolean) => String(value);

/** Tags of a resource that exists. */
export function resourceTags(tags: ReadonlyMap<string, string>): Context {
  return Object.fromEntries(
    [...tags].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`ec2:ResourceTag/${key}`, value],
    ]),
  );
}

/** Tags that a request gives. */
function requestTags(tags: ReadonlyMap<string, string>): Context {
  if (tags.size === 0) return {};
  const given = Object.fromEntries([...tags].map(([key, value]) => [`aws:RequestTag/${key}`, value]));
  return { ...given, 'aws:TagKeys': [...tags.keys()] };
}

/** Of an operation on instances that exist. */
export function instanceNeeds(world: World, operation: string, instances: readonly Instance[]): Need[] {
  return instances.map((instance) => ({
    action: `ec2:${operation}`,
    resource: arnOf(world, 'ec2', `instance/${instance.instanceId}`),
    context: {
      ...resourceTags(instance.tags),
      'ec2:InstanceID': instance.instanceId,
      'ec2:InstanceType': instance.type.name,
      'ec2:AvailabilityZone': instance.zone,
      'ec2:EbsOptimized': isTrue(instance.ebsOptimized),
      ...metadata(instance.metadataOptions),
      ...(instance.profileArn === undefined ? {} : { 'ec2:InstanceProfile': instance.profileArn }),
    },
  }));
}

/** Of CreateTags and DeleteTags. */
export function tagNeeds(
  world: World,
  operation: string,
  resources: readonly Taggable[],
  tags: readonly Tag[],
): Need[] {
  const given = requestTags(new Map(tags.map(({ Key, Value }) => [Key, Value])));
  return resources.map(({ id, type, tags: present }) => ({
    action: `ec2:${operation}`,
    resource: arnOf(world, 'ec2', `${type}/${id}`),
    context: { ...resourceTags(present), ...given },
  }));
}

/** What a launch makes and uses. */
export interface Launch {
  template?: { launchTemplateId: string; tags: ReadonlyMap<string, string> };
  /** Which of these the request names itself, in place of the template. */
  overrides: { image: boolean; type: boolean; groups: boolean };
  imageId: string;
  type: string;
  subnet: Subnet;
  groups: readonly { groupId: string; tags: ReadonlyMap<string, string> }[];
  profileArn?: string;
  roleArn?: string;
  data: LaunchTemplateData;
  tagsOf(resource: string): ReadonlyMap<string, string>;
}

/**
 * Of RunInstances: each resource that is made or used, tagging what is made, and passing the role to EC2. What is made
 * has no id yet, so that its ARN ends in `*`.
 */
export function launchNeeds(world: World, launch: Launch): Need[] {
  const { template, overrides, subnet, data, profileArn, roleArn } = launch;
  const arn = (resource: string) => arnOf(world, 'ec2', resource);
  const zone = { 'ec2:AvailabilityZone': subnet.zone };
  const vpc = { 'ec2:Vpc': arn(`vpc/${subnet.vpcId}`) };
  const templateArn = template && arn(`launch-template/${template.launchTemplateId}`);
  const run = (resource: string, context: Context, overridden = false): Need => ({
    action: 'ec2:RunInstances',
    resource,
    context: {
      ...context,
      ...(templateArn === undefined
        ? {}
        : { 'ec2:LaunchTemplate': templateArn, 'ec2:IsLaunchTemplateResource': isTrue(!overridden) }),
    },
  });
  const [root] = data.BlockDeviceMappings;
  const made: [type: string, context: Context, overridden: boolean][] = [
    [
      'instance',
      {
        ...zone,
        'ec2:InstanceType': launch.type,
        'ec2:EbsOptimized': isTrue(data.EbsOptimized ?? false),
        'ec2:RootDeviceType': 'ebs',
        ...metadata(data.MetadataOptions),
        ...(profileArn === undefined ? {} : { 'ec2:InstanceProfile': profileArn }),
      },
      overrides.type,
    ],
    [
      'volume',
      {
        ...zone,
        'ec2:Encrypted': isTrue(root?.Ebs.Encrypted ?? false),
        'ec2:VolumeType': root?.Ebs.VolumeType ?? 'gp3',
        ...(root?.Ebs.VolumeSize === undefined ? {} : { 'ec2:VolumeSize': String(root.Ebs.VolumeSize) }),
      },
      false,
    ],
    ['network-interface', { ...zone, ...vpc, 'ec2:Subnet': arn(`subnet/${subnet.subnetId}`) }, true],
  ];
  return [
    ...(template && templateArn !== undefined ? [run(templateArn, resourceTags(template.tags))] : []),
    run(`arn:aws:ec2:${world.region}::image/${launch.imageId}`, IMAGE, overrides.image),
    run(arn(`subnet/${subnet.subnetId}`), { ...resourceTags(subnet.tags), ...zone, ...vpc }, true),
    ...launch.groups.map(({ groupId, tags }) =>
      run(arn(`security-group/${groupId}`), { ...resourceTags(tags), ...vpc }, overrides.groups),
    ),
    ...made.map(([type, context, overridden]) =>
      run(arn(`${type}/*`), { ...context, ...requestTags(launch.tagsOf(type)) }, overridden),
    ),
    ...made
      .filter(([type]) => launch.tagsOf(type).size > 0)
      .map(([type]) => ({
        action: 'ec2:CreateTags',
        resource: arn(`${type}/*`),
        context: { ...requestTags(launch.tagsOf(type)), 'ec2:CreateAction': 'RunInstances' },
      })),
    ...(roleArn === undefined
      ? []
      : [{ action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } }]),
  ];
}

/** Amazon Linux. */
const IMAGE: Context = {
  'ec2:ImageType': 'machine',
  'ec2:Owner': 'amazon',
  'ec2:Public': 'true',
  'ec2:RootDeviceType': 'ebs',
};

const metadata = ({ HttpEndpoint, HttpTokens, HttpPutResponseHopLimit }: LaunchTemplateData['MetadataOptions']) => ({
  'ec2:MetadataHttpEndpoint': HttpEndpoint,
  'ec2:MetadataHttpTokens': HttpTokens,
  'ec2:MetadataHttpPutResponseHopLimit': String(HttpPutResponseHopLimit),
});
