/** Instances, volumes and network interfaces in EC2's XML names. */
import type { World } from '../service';
import { type Instance, type NetworkInterface, STATE_CODES, type Volume } from './instance';
import { tagSet } from './schema';
import type { SecurityGroups } from './security-groups';
import { zoneId } from './vpc';

export const describeState = (state: Instance['state']) => ({ code: STATE_CODES[state], name: state });

const groupSet = (ids: string[], groups: SecurityGroups) =>
  ids.map((groupId) => ({ groupId, groupName: groups.all.get(groupId)?.name }));

const dashed = (address: string) => address.replaceAll('.', '-');

export function describeInstance(world: World, instance: Instance, groups: SecurityGroups) {
  const { region } = world;
  const { privateIp, publicIp, networkInterface, metadataOptions, profileArn } = instance;
  const privateDnsName = privateIp ? `ip-${dashed(privateIp)}.${region}.compute.internal` : '';
  const publicDnsName = publicIp ? `ec2-${dashed(publicIp)}.${region}.compute.amazonaws.com` : '';
  return {
    instanceId: instance.instanceId,
    imageId: instance.imageId,
    instanceState: describeState(instance.state),
    privateDnsName,
    dnsName: publicDnsName,
    reason: instance.transitionReason,
    amiLaunchIndex: 0,
    instanceType: instance.type.name,
    launchTime: new Date(instance.launchedAt),
    placement: { availabilityZone: instance.zone, availabilityZoneId: zoneId(instance.zone), tenancy: 'default' },
    monitoring: { state: instance.monitoring ? 'enabled' : 'disabled' },
    subnetId: privateIp ? instance.subnetId : undefined,
    vpcId: privateIp ? instance.vpcId : undefined,
    privateIpAddress: privateIp || undefined,
    ipAddress: publicIp,
    groupSet: privateIp ? groupSet(instance.groups, groups) : [],
    stateReason: instance.stateReason,
    architecture: instance.type.architecture,
    rootDeviceType: 'ebs',
    rootDeviceName: '/dev/xvda',
    blockDeviceMapping: instance.volumes.map((volume) => ({
      deviceName: volume.device,
      ebs: {
        volumeId: volume.volumeId,
        status: 'attached',
        attachTime: new Date(volume.createdAt),
        deleteOnTermination: volume.deleteOnTermination,
      },
    })),
    virtualizationType: 'hvm',
    clientToken: instance.clientToken ?? '',
    tagSet: tagSet(instance.tags),
    hypervisor: 'xen',
    networkInterfaceSet: networkInterface
      ? [{ ...describeInterface(world, networkInterface, groups), tagSet: undefined }]
      : [],
    iamInstanceProfile: profileArn ? { arn: profileArn } : undefined,
    ebsOptimized: instance.ebsOptimized,
    enaSupport: true,
    sourceDestCheck: true,
    metadataOptions: {
      state: 'applied',
      httpTokens: metadataOptions.HttpTokens,
      httpPutResponseHopLimit: metadataOptions.HttpPutResponseHopLimit,
      httpEndpoint: metadataOptions.HttpEndpoint,
      httpProtocolIpv6: metadataOptions.HttpProtocolIpv6,
      instanceMetadataTags: metadataOptions.InstanceMetadataTags,
    },
  };
}

export function describeInterface(world: World, item: NetworkInterface, groups: SecurityGroups) {
  const association = item.publicIp && {
    publicIp: item.publicIp,
    publicDnsName: `ec2-${dashed(item.publicIp)}.${world.region}.compute.amazonaws.com`,
    ipOwnerId: 'amazon',
  };
  return {
    networkInterfaceId: item.networkInterfaceId,
    subnetId: item.subnetId,
    vpcId: item.vpcId,
    availabilityZone: item.zone,
    description: '',
    ownerId: world.account,
    requesterManaged: false,
    status: 'in-use',
    macAddress: item.macAddress,
    privateIpAddress: item.privateIp,
    privateDnsName: `ip-${dashed(item.privateIp)}.${world.region}.compute.internal`,
    sourceDestCheck: true,
    groupSet: groupSet(item.groups, groups),
    interfaceType: 'interface',
    association: association || undefined,
    attachment: {
      attachmentId: `eni-attach-${item.networkInterfaceId.slice('eni-'.length)}`,
      instanceId: item.instanceId,
      deviceIndex: 0,
      networkCardIndex: 0,
      status: 'attached',
      attachTime: new Date(item.attachedAt),
      deleteOnTermination: true,
    },
    privateIpAddressesSet: [{ privateIpAddress: item.privateIp, primary: true, association: association || undefined }],
    tagSet: tagSet(item.tags),
  };
}

export const describeVolume = (volume: Volume) => ({
  volumeId: volume.volumeId,
  size: volume.sizeGiB,
  availabilityZone: volume.zone,
  status: volume.instanceId ? 'in-use' : 'available',
  createTime: new Date(volume.createdAt),
  attachmentSet: volume.instanceId
    ? [
        {
          volumeId: volume.volumeId,
          instanceId: volume.instanceId,
          device: volume.device,
          status: 'attached',
          attachTime: new Date(volume.createdAt),
          deleteOnTermination: volume.deleteOnTermination,
        },
      ]
    : [],
  tagSet: tagSet(volume.tags),
  volumeType: volume.type,
  iops: volume.iops,
  throughput: volume.throughput,
  encrypted: volume.encrypted,
  kmsKeyId: volume.kmsKeyId,
  multiAttachEnabled: false,
});
