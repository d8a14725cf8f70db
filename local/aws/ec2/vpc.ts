/** VPCs and subnets. */
import { z } from 'zod';
import { provision } from '../properties';
import { BOOLEAN } from '../scalars';
import { AwsError, type Operation, operation, type Provision, type World } from '../service';
import { type Cidr, contains, overlaps, parseCidr, usableAddresses } from './cidr';
import { filter, page } from './filters';
import { get, select } from './ids';
import { DESCRIBE, IDS, TAGS, tagMap, tagSet } from './schema';

export interface Vpc {
  vpcId: string;
  cidr: Cidr;
  dnsHostnames: boolean;
  dnsSupport: boolean;
  tenancy: string;
  defaultSecurityGroup: string;
  defaultNetworkAcl: string;
  tags: Map<string, string>;
}

export interface Subnet {
  subnetId: string;
  vpcId: string;
  zone: string;
  cidr: Cidr;
  /** Instances get a public address. */
  public: boolean;
  tags: Map<string, string>;
}

/** The id of a zone, the same place in every account (`euw3-az1`). */
export function zoneId(zone: string): string {
  const [area = '', direction = '', rest = ''] = zone.split('-');
  const short = direction.replace(/(north|south|east|west|central)/g, (word) => word[0]!);
  return `${area}${short}${rest.slice(0, -1)}-az${rest.charCodeAt(rest.length - 1) - 96}`;
}

export class Vpcs {
  readonly all = new Map<string, Vpc>();
  readonly subnets = new Map<string, Subnet>();
  private readonly created: ((vpc: Vpc) => void)[] = [];

  constructor(
    private readonly world: World,
    /** Addresses of a subnet in use. */
    private readonly used: (subnetId: string) => number,
  ) {}

  onCreated(listener: (vpc: Vpc) => void): void {
    this.created.push(listener);
  }

  /** @throws AwsError InvalidSubnetID.NotFound */
  subnet(subnetId: string): Subnet {
    return get('subnet', this.subnets, subnetId);
  }

  readonly operations: Record<string, Operation> = {
    DescribeVpcs: operation({
      input: z.strictObject({ ...DESCRIBE, VpcId: IDS }),
      handle: (input) => {
        const found = filter(select('vpc', this.all, input.VpcId), input.Filter, {
          'vpc-id': ({ vpcId }) => vpcId,
          cidr: ({ cidr }) => cidr.text,
          'cidr-block-association.cidr-block': ({ cidr }) => cidr.text,
          'is-default': () => 'false',
          state: () => 'available',
        });
        const { items, nextToken } = page(found, ({ vpcId }) => vpcId, input);
        return {
          vpcSet: items.map((vpc) => ({
            vpcId: vpc.vpcId,
            ownerId: this.world.account,
            state: 'available',
            cidrBlock: vpc.cidr.text,
            cidrBlockAssociationSet: [
              {
                associationId: `vpc-cidr-assoc-${vpc.vpcId.slice('vpc-'.length)}`,
                cidrBlock: vpc.cidr.text,
                cidrBlockState: { state: 'associated' },
              },
            ],
            dhcpOptionsId: 'default',
            instanceTenancy: vpc.tenancy,
            isDefault: false,
            tagSet: tagSet(vpc.tags),
          })),
          nextToken,
        };
      },
    }),
    DescribeSubnets: operation({
      input: z.strictObject({ ...DESCRIBE, SubnetId: IDS }),
      handle: (input) => {
        const found = filter(select('subnet', this.subnets, input.SubnetId), input.Filter, {
          'subnet-id': ({ subnetId }) => subnetId,
          'vpc-id': ({ vpcId }) => vpcId,
          'availability-zone': ({ zone }) => zone,
          availabilityZone: ({ zone }) => zone,
          'cidr-block': ({ cidr }) => cidr.text,
          'map-public-ip-on-launch': (subnet) => String(subnet.public),
          state: () => 'available',
        });
        const { items, nextToken } = page(found, ({ subnetId }) => subnetId, input);
        return {
          subnetSet: items.map((subnet) => ({
            subnetId: subnet.subnetId,
            subnetArn: `arn:aws:ec2:${this.world.region}:${this.world.account}:subnet/${subnet.subnetId}`,
            ownerId: this.world.account,
            state: 'available',
            vpcId: subnet.vpcId,
            cidrBlock: subnet.cidr.text,
            availableIpAddressCount: usableAddresses(subnet.cidr) - this.used(subnet.subnetId),
            availabilityZone: subnet.zone,
            availabilityZoneId: zoneId(subnet.zone),
            defaultForAz: false,
            mapPublicIpOnLaunch: subnet.public,
            assignIpv6AddressOnCreation: false,
            tagSet: tagSet(subnet.tags),
          })),
          nextToken,
        };
      },
    }),
    DescribeAvailabilityZones: operation({
      input: z.strictObject({
        DryRun: DESCRIBE.DryRun,
        Filter: DESCRIBE.Filter,
        AllAvailabilityZones: BOOLEAN.optional(),
        ZoneName: IDS,
        ZoneId: IDS,
      }),
      handle: ({ Filter, ZoneName, ZoneId }) => {
        const zones = this.world.zones.map((name) => ({ name, id: zoneId(name), tags: new Map<string, string>() }));
        const unknown =
          ZoneName?.find((name) => !zones.some((zone) => zone.name === name)) ??
          ZoneId?.find((id) => !zones.some((zone) => zone.id === id));
        if (unknown) throw new AwsError('InvalidParameterValue', `Invalid availability zone: [${unknown}]`);
        const asked = zones.filter(
          ({ name, id }) => (!ZoneName || ZoneName.includes(name)) && (!ZoneId || ZoneId.includes(id)),
        );
        const found = filter(asked, Filter, {
          'region-name': () => this.world.region,
          state: () => 'available',
          'zone-id': ({ id }) => id,
          'zone-name': ({ name }) => name,
          'zone-type': () => 'availability-zone',
          'opt-in-status': () => 'opt-in-not-required',
        });
        return {
          availabilityZoneInfo: found.map(({ name, id }) => ({
            zoneName: name,
            zoneId: id,
            zoneState: 'available',
            zoneType: 'availability-zone',
            regionName: this.world.region,
            groupName: `${this.world.region}-zg-1`,
            networkBorderGroup: this.world.region,
            optInStatus: 'opt-in-not-required',
          })),
        };
      },
    }),
  };

  readonly resources: Record<string, Provision> = {
    'AWS::EC2::VPC': provision(
      'AWS::EC2::VPC',
      z.strictObject({
        CidrBlock: z.string(),
        EnableDnsHostnames: BOOLEAN.default(false),
        EnableDnsSupport: BOOLEAN.default(true),
        InstanceTenancy: z.enum(['default', 'dedicated']).default('default'),
        Tags: TAGS,
      }),
      (properties) => {
        const cidr = parseCidr(properties.CidrBlock);
        if (cidr.prefix < 16 || cidr.prefix > 28) {
          throw new AwsError('InvalidVpc.Range', `The CIDR '${cidr.text}' is invalid.`);
        }
        const hex = this.world.random.hex(16);
        const vpc: Vpc = {
          vpcId: `vpc-0${hex}`,
          cidr,
          dnsHostnames: properties.EnableDnsHostnames,
          dnsSupport: properties.EnableDnsSupport,
          tenancy: properties.InstanceTenancy,
          defaultSecurityGroup: '',
          defaultNetworkAcl: `acl-0${hex}`,
          tags: tagMap(properties.Tags),
        };
        this.all.set(vpc.vpcId, vpc);
        for (const listener of this.created) listener(vpc);
        return {
          ref: vpc.vpcId,
          attributes: {
            VpcId: vpc.vpcId,
            CidrBlock: cidr.text,
            CidrBlockAssociations: [`vpc-cidr-assoc-0${hex}`],
            DefaultNetworkAcl: vpc.defaultNetworkAcl,
            DefaultSecurityGroup: vpc.defaultSecurityGroup,
            Ipv6CidrBlocks: [],
          },
        };
      },
    ),
    'AWS::EC2::Subnet': provision(
      'AWS::EC2::Subnet',
      z.strictObject({
        AvailabilityZone: z.string().optional(),
        CidrBlock: z.string(),
        MapPublicIpOnLaunch: BOOLEAN.default(false),
        Tags: TAGS,
        VpcId: z.string(),
      }),
      (properties) => {
        const vpc = get('vpc', this.all, properties.VpcId);
        const zone = properties.AvailabilityZone ?? this.world.random.pick(this.world.zones);
        if (!this.world.zones.includes(zone)) {
          throw new AwsError(
            'InvalidParameterValue',
            `Value (${zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${this.world.zones.join(', ')}.`,
          );
        }
        const cidr = parseCidr(properties.CidrBlock);
        if (!contains(vpc.cidr, cidr) || cidr.prefix > 28) {
          throw new AwsError('InvalidSubnet.Range', `The CIDR '${cidr.text}' is invalid.`);
        }
        const siblings = [...this.subnets.values()].filter(({ vpcId }) => vpcId === vpc.vpcId);
        if (siblings.some((sibling) => overlaps(sibling.cidr, cidr))) {
          throw new AwsError('InvalidSubnet.Conflict', `The CIDR '${cidr.text}' conflicts with another subnet`);
        }
        const subnetId = `subnet-0${this.world.random.hex(16)}`;
        this.subnets.set(subnetId, {
          subnetId,
          vpcId: vpc.vpcId,
          zone,
          cidr,
          public: properties.MapPublicIpOnLaunch,
          tags: tagMap(properties.Tags),
        });
        return {
          ref: subnetId,
          attributes: {
            SubnetId: subnetId,
            AvailabilityZone: zone,
            AvailabilityZoneId: zoneId(zone),
            CidrBlock: cidr.text,
            VpcId: vpc.vpcId,
            Ipv6CidrBlocks: [],
            NetworkAclAssociationId: `aclassoc-${subnetId.slice('subnet-'.length)}`,
          },
        };
      },
    ),
  };
}
