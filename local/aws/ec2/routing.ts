/** What connects a VPC to the world: gateways, routes, addresses, endpoints and flow logs. */
import { z } from 'zod';
import { provision } from '../properties';
import { BOOLEAN } from '../scalars';
import { AwsError, type Provision, type Provisioned, type World } from '../service';
import { contains, parseCidr } from './cidr';
import { get } from './ids';
import { TAGS } from './schema';
import type { SecurityGroups } from './security-groups';
import type { Vpcs } from './vpc';

interface RouteTable {
  routeTableId: string;
  vpcId: string;
  /** Destination → gateway id. */
  routes: Map<string, string>;
}

export class Routing {
  private readonly gateways = new Map<string, { internetGatewayId: string; vpcId?: string }>();
  private readonly tables = new Map<string, RouteTable>();
  private readonly addresses = new Map<string, { publicIp: string; natGatewayId?: string }>();
  private readonly natGateways = new Map<string, { subnetId: string; publicIp?: string }>();
  /** Subnet → route table. */
  private readonly associations = new Map<string, string>();
  private addressCount = 0;

  constructor(
    private readonly world: World,
    private readonly vpcs: Vpcs,
    private readonly groups: SecurityGroups,
  ) {}

  /** A public address of the ranges reserved for documentation (RFC 5737). */
  publicAddress(): string {
    const n = this.addressCount++;
    return `${n % 508 < 254 ? '203.0.113' : '198.51.100'}.${(n % 254) + 1}`;
  }

  /** Whether packets from a subnet find a way out: K3s, images and AWS' own endpoints lie outside the VPC. */
  reachesInternet(subnetId: string): boolean {
    const table = this.tables.get(this.associations.get(subnetId) ?? '');
    const gateway = table?.routes.get('0.0.0.0/0');
    if (!table || !gateway) return false;
    if (gateway.startsWith('igw-')) {
      return this.vpcs.subnet(subnetId).public && this.gateways.get(gateway)?.vpcId === table.vpcId;
    }
    const nat = this.natGateways.get(gateway);
    const next = nat && this.tables.get(this.associations.get(nat.subnetId) ?? '')?.routes.get('0.0.0.0/0');
    return next?.startsWith('igw-') ?? false;
  }

  private id(prefix: string): string {
    return `${prefix}-0${this.world.random.hex(16)}`;
  }

  readonly resources: Record<string, Provision> = {
    'AWS::EC2::InternetGateway': provision('AWS::EC2::InternetGateway', z.strictObject({ Tags: TAGS }), () => {
      const internetGatewayId = this.id('igw');
      this.gateways.set(internetGatewayId, { internetGatewayId });
      return { ref: internetGatewayId, attributes: { InternetGatewayId: internetGatewayId } };
    }),
    'AWS::EC2::VPCGatewayAttachment': provision(
      'AWS::EC2::VPCGatewayAttachment',
      z.strictObject({ InternetGatewayId: z.string(), VpcId: z.string() }),
      ({ InternetGatewayId, VpcId }) => {
        const gateway = get('igw', this.gateways, InternetGatewayId);
        const { vpcId } = get('vpc', this.vpcs.all, VpcId);
        if (gateway.vpcId) {
          throw new AwsError('Resource.AlreadyAssociated', `resource ${InternetGatewayId} is already attached`);
        }
        gateway.vpcId = vpcId;
        return { ref: `IGW|${vpcId}`, attributes: { AttachmentType: 'IGW' } };
      },
    ),
    'AWS::EC2::RouteTable': provision(
      'AWS::EC2::RouteTable',
      z.strictObject({ Tags: TAGS, VpcId: z.string() }),
      ({ VpcId }) => {
        const routeTableId = this.id('rtb');
        const { vpcId } = get('vpc', this.vpcs.all, VpcId);
        this.tables.set(routeTableId, { routeTableId, vpcId, routes: new Map() });
        return { ref: routeTableId, attributes: { RouteTableId: routeTableId } };
      },
    ),
    'AWS::EC2::Route': provision(
      'AWS::EC2::Route',
      z.strictObject({
        DestinationCidrBlock: z.string(),
        GatewayId: z.string().optional(),
        NatGatewayId: z.string().optional(),
        RouteTableId: z.string(),
      }),
      (properties) => this.route(properties),
    ),
    'AWS::EC2::SubnetRouteTableAssociation': provision(
      'AWS::EC2::SubnetRouteTableAssociation',
      z.strictObject({ RouteTableId: z.string(), SubnetId: z.string() }),
      ({ RouteTableId, SubnetId }) => {
        const table = get('rtb', this.tables, RouteTableId);
        const subnet = this.vpcs.subnet(SubnetId);
        if (table.vpcId !== subnet.vpcId) {
          throw new AwsError('InvalidParameterValue', `${RouteTableId} and ${SubnetId} belong to different networks`);
        }
        if (this.associations.has(SubnetId)) {
          throw new AwsError('Resource.AlreadyAssociated', `the subnet ${SubnetId} already has a route table`);
        }
        this.associations.set(SubnetId, RouteTableId);
        const id = this.id('rtbassoc');
        return { ref: id, attributes: { Id: id } };
      },
    ),
    'AWS::EC2::EIP': provision(
      'AWS::EC2::EIP',
      z.strictObject({ Domain: z.literal('vpc').optional(), Tags: TAGS }),
      () => {
        const allocationId = this.id('eipalloc');
        const publicIp = this.publicAddress();
        this.addresses.set(allocationId, { publicIp });
        return { ref: publicIp, attributes: { AllocationId: allocationId, PublicIp: publicIp } };
      },
    ),
    'AWS::EC2::NatGateway': provision(
      'AWS::EC2::NatGateway',
      z.strictObject({
        AllocationId: z.string(),
        ConnectivityType: z.literal('public').optional(),
        SubnetId: z.string(),
        Tags: TAGS,
      }),
      ({ AllocationId, SubnetId }) => {
        const address = get('eipalloc', this.addresses, AllocationId);
        const { subnetId } = this.vpcs.subnet(SubnetId);
        if (address.natGatewayId) {
          throw new AwsError('Resource.AlreadyAssociated', `${AllocationId} is already associated`);
        }
        const natGatewayId = this.id('nat');
        address.natGatewayId = natGatewayId;
        this.natGateways.set(natGatewayId, { subnetId, publicIp: address.publicIp });
        return { ref: natGatewayId, attributes: { NatGatewayId: natGatewayId } };
      },
    ),
    'AWS::EC2::FlowLog': provision(
      'AWS::EC2::FlowLog',
      z.strictObject({
        DeliverLogsPermissionArn: z.string().optional(),
        LogDestination: z.string().optional(),
        LogDestinationType: z.enum(['cloud-watch-logs', 's3']).optional(),
        LogFormat: z.string().optional(),
        LogGroupName: z.string().optional(),
        MaxAggregationInterval: z.union([z.literal(60), z.literal(600)]).optional(),
        ResourceId: z.string(),
        ResourceType: z.enum(['VPC', 'Subnet']),
        Tags: TAGS,
        TrafficType: z.enum(['ACCEPT', 'ALL', 'REJECT']).optional(),
      }),
      ({ ResourceId, ResourceType }) => {
        if (ResourceType === 'VPC') get('vpc', this.vpcs.all, ResourceId);
        else this.vpcs.subnet(ResourceId);
        const id = this.id('fl');
        return { ref: id, attributes: { Id: id } };
      },
    ),
    'AWS::EC2::VPCEndpoint': provision(
      'AWS::EC2::VPCEndpoint',
      z.strictObject({
        PolicyDocument: z.unknown().optional(),
        PrivateDnsEnabled: BOOLEAN.optional(),
        RouteTableIds: z.array(z.string()).optional(),
        SecurityGroupIds: z.array(z.string()).optional(),
        ServiceName: z.string(),
        SubnetIds: z.array(z.string()).optional(),
        Tags: TAGS,
        VpcEndpointType: z.enum(['Gateway', 'Interface']).default('Gateway'),
        VpcId: z.string(),
      }),
      (properties) => {
        get('vpc', this.vpcs.all, properties.VpcId);
        for (const id of properties.RouteTableIds ?? []) get('rtb', this.tables, id);
        for (const id of properties.SubnetIds ?? []) this.vpcs.subnet(id);
        for (const id of properties.SecurityGroupIds ?? []) get('sg', this.groups.all, id);
        const id = this.id('vpce');
        const service = properties.ServiceName.split('.').at(-1);
        const host = `${id}.${service}.${this.world.region}.vpce.amazonaws.com`;
        const zone = `Z${this.world.random.hex(13).toUpperCase()}`;
        const dns = properties.VpcEndpointType === 'Interface' ? [`${zone}:${host}`] : [];
        return {
          ref: id,
          attributes: {
            Id: id,
            CreationTimestamp: new Date(this.world.clock.now()).toISOString(),
            DnsEntries: dns,
            NetworkInterfaceIds: (properties.SubnetIds ?? []).map(() => this.id('eni')),
          },
        };
      },
    ),
  };

  private route(properties: {
    DestinationCidrBlock: string;
    GatewayId?: string;
    NatGatewayId?: string;
    RouteTableId: string;
  }): Provisioned {
    const { DestinationCidrBlock, GatewayId, NatGatewayId, RouteTableId } = properties;
    const table = get('rtb', this.tables, RouteTableId);
    const destination = parseCidr(DestinationCidrBlock, 'destinationCidrBlock');
    const target = GatewayId ?? NatGatewayId;
    if (!target || (GatewayId && NatGatewayId)) {
      throw new AwsError('InvalidParameterCombination', 'A route needs exactly one of GatewayId and NatGatewayId.');
    }
    if (GatewayId && get('igw', this.gateways, GatewayId).vpcId !== table.vpcId) {
      throw new AwsError('InvalidParameterValue', `${GatewayId} and ${RouteTableId} belong to different networks`);
    }
    if (NatGatewayId) get('nat', this.natGateways, NatGatewayId);
    const vpc = get('vpc', this.vpcs.all, table.vpcId);
    if (table.routes.has(destination.text) || contains(vpc.cidr, destination)) {
      throw new AwsError('RouteAlreadyExists', `The route identified by ${destination.text} already exists.`);
    }
    table.routes.set(destination.text, target);
    return { ref: `${RouteTableId}|${destination.text}`, attributes: { CidrBlock: destination.text } };
  }
}
