/**
 * Security groups as the packet filter they are. A peer is known by its groups and by the ranges of the subnets it may
 * be in: local private addresses are loopback addresses and say nothing about the template's ranges.
 */
import { z } from 'zod';
import { provision } from '../properties';
import { INTEGER } from '../scalars';
import { AwsError, type Operation, operation, type Provision, type World } from '../service';
import { type Cidr, contains, parseCidr } from './cidr';
import { filter, page } from './filters';
import { get, select } from './ids';
import { DESCRIBE, IDS, TAGS, tagMap, tagSet } from './schema';
import type { Vpcs } from './vpc';

/** One rule. Its peer is a range or another group. */
export interface Rule {
  id: string;
  /** `tcp`, `udp`, `icmp` or `-1` for all. */
  protocol: string;
  fromPort: number;
  toPort: number;
  cidr?: Cidr;
  /** IPv6 ranges are kept for display; nothing here speaks IPv6. */
  cidr6?: string;
  prefixListId?: string;
  groupId?: string;
  description?: string;
}

export interface SecurityGroup {
  groupId: string;
  name: string;
  description: string;
  vpcId: string;
  ingress: Rule[];
  egress: Rule[];
  tags: Map<string, string>;
}

/** One end of a connection as security groups see it. */
export interface Peer {
  groups: string[];
  /** Where its packets may come from or go to. */
  range: Cidr;
}

const PEER = {
  CidrIp: z.string().optional(),
  CidrIpv6: z.string().optional(),
  Description: z.string().max(255).optional(),
  FromPort: INTEGER.optional(),
  ToPort: INTEGER.optional(),
  IpProtocol: z.union([z.string(), z.int().transform(String)]),
};
const INGRESS = z.strictObject({
  ...PEER,
  SourceSecurityGroupId: z.string().optional(),
  SourcePrefixListId: z.string().optional(),
});
const EGRESS = z.strictObject({
  ...PEER,
  DestinationSecurityGroupId: z.string().optional(),
  DestinationPrefixListId: z.string().optional(),
});

interface RuleInput extends z.infer<z.ZodObject<typeof PEER>> {
  groupId?: string;
  prefixListId?: string;
}

const fromIngress = ({ SourceSecurityGroupId, SourcePrefixListId, ...rest }: z.infer<typeof INGRESS>): RuleInput => ({
  ...rest,
  groupId: SourceSecurityGroupId,
  prefixListId: SourcePrefixListId,
});
const fromEgress = ({
  DestinationSecurityGroupId,
  DestinationPrefixListId,
  ...rest
}: z.infer<typeof EGRESS>): RuleInput => ({
  ...rest,
  groupId: DestinationSecurityGroupId,
  prefixListId: DestinationPrefixListId,
});

const PROTOCOLS: Record<string, string> = { '6': 'tcp', '17': 'udp', '1': 'icmp' };

export class SecurityGroups {
  readonly all = new Map<string, SecurityGroup>();

  constructor(
    private readonly world: World,
    private readonly vpcs: Vpcs,
  ) {
    // Every VPC has a default group, whose members admit each other.
    vpcs.onCreated((vpc) => {
      const group = this.create('default', 'default VPC security group', vpc.vpcId, []);
      group.ingress.push(this.rule({ IpProtocol: '-1', groupId: group.groupId }, group));
      group.egress.push(this.rule({ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }, group));
      vpc.defaultSecurityGroup = group.groupId;
    });
  }

  /**
   * Whether a new connection from one peer to another passes: the source's egress and the target's ingress must both
   * admit it. A peer without groups (a network load balancer created without) filters nothing itself.
   */
  admits(from: Peer, to: Peer, port: number, protocol: 'tcp' | 'udp' = 'tcp'): boolean {
    return (
      this.passes(from.groups, (group) => group.egress, to, port, protocol) &&
      this.passes(to.groups, (group) => group.ingress, from, port, protocol)
    );
  }

  /** Whether anybody outside the VPC may connect to a port of a holder of these groups. */
  exposed(groups: string[], port: number): boolean {
    if (groups.length === 0) return true;
    return groups.some((id) => get('sg', this.all, id).ingress.some((rule) => rule.cidr && covers(rule, port, 'tcp')));
  }

  private passes(
    groups: string[],
    direction: (group: SecurityGroup) => Rule[],
    peer: Peer,
    port: number,
    protocol: 'tcp' | 'udp',
  ): boolean {
    if (groups.length === 0) return true;
    return groups.some((id) =>
      direction(get('sg', this.all, id)).some(
        (rule) =>
          covers(rule, port, protocol) &&
          ((rule.groupId !== undefined && peer.groups.includes(rule.groupId)) ||
            (rule.cidr !== undefined && contains(rule.cidr, peer.range))),
      ),
    );
  }

  private create(name: string, description: string, vpcId: string, tags: z.infer<typeof TAGS>): SecurityGroup {
    const clash = [...this.all.values()].some((group) => group.vpcId === vpcId && group.name === name);
    if (clash) {
      throw new AwsError('InvalidGroup.Duplicate', `The security group '${name}' already exists for VPC '${vpcId}'`);
    }
    const groupId = `sg-0${this.world.random.hex(16)}`;
    const group: SecurityGroup = {
      groupId,
      name,
      description,
      vpcId,
      ingress: [],
      egress: [],
      tags: tagMap(tags),
    };
    this.all.set(groupId, group);
    return group;
  }

  private rule(input: RuleInput, owner: SecurityGroup): Rule {
    const protocol = PROTOCOLS[input.IpProtocol] ?? input.IpProtocol.toLowerCase();
    const peers = [input.CidrIp, input.CidrIpv6, input.groupId, input.prefixListId].filter(
      (peer) => peer !== undefined,
    );
    if (peers.length !== 1) {
      throw new AwsError(
        'InvalidParameterCombination',
        'A rule needs exactly one of a CIDR, a group or a prefix list.',
      );
    }
    const everything = protocol === '-1';
    if (!everything && !['tcp', 'udp', 'icmp', 'icmpv6'].includes(protocol)) {
      throw new AwsError('InvalidParameterValue', `Invalid value '${input.IpProtocol}' for IP protocol.`);
    }
    if (!everything && (input.FromPort === undefined || input.ToPort === undefined)) {
      throw new AwsError('MissingParameter', `A ${protocol} rule needs FromPort and ToPort.`);
    }
    if (input.groupId !== undefined && get('sg', this.all, input.groupId).vpcId !== owner.vpcId) {
      throw new AwsError('InvalidGroup.NotFound', `The security group '${input.groupId}' does not exist in the VPC`);
    }
    return {
      id: `sgr-0${this.world.random.hex(16)}`,
      protocol,
      fromPort: everything ? 0 : (input.FromPort ?? 0),
      toPort: everything ? 65535 : (input.ToPort ?? 65535),
      cidr: input.CidrIp === undefined ? undefined : parseCidr(input.CidrIp, 'cidrIp'),
      cidr6: input.CidrIpv6,
      prefixListId: input.prefixListId,
      groupId: input.groupId,
      description: input.Description,
    };
  }

  readonly operations: Record<string, Operation> = {
    DescribeSecurityGroups: operation({
      input: z.strictObject({ ...DESCRIBE, GroupId: IDS }),
      handle: (input) => {
        const found = filter(select('sg', this.all, input.GroupId), input.Filter, {
          'group-id': ({ groupId }) => groupId,
          'group-name': ({ name }) => name,
          'vpc-id': ({ vpcId }) => vpcId,
          description: ({ description }) => description,
        });
        const { items, nextToken } = page(found, ({ groupId }) => groupId, input);
        return {
          securityGroupInfo: items.map((group) => ({
            ownerId: this.world.account,
            groupId: group.groupId,
            groupName: group.name,
            groupDescription: group.description,
            vpcId: group.vpcId,
            ipPermissions: group.ingress.map((rule) => permission(rule, this.world.account)),
            ipPermissionsEgress: group.egress.map((rule) => permission(rule, this.world.account)),
            tagSet: tagSet(group.tags),
          })),
          nextToken,
        };
      },
    }),
  };

  readonly resources: Record<string, Provision> = {
    'AWS::EC2::SecurityGroup': provision(
      'AWS::EC2::SecurityGroup',
      z.strictObject({
        GroupDescription: z.string().min(1).max(255),
        GroupName: z.string().max(255).optional(),
        SecurityGroupEgress: z.array(EGRESS).optional(),
        SecurityGroupIngress: z.array(INGRESS).default([]),
        Tags: TAGS,
        VpcId: z.string(),
      }),
      (properties, logicalId) => {
        const vpc = get('vpc', this.vpcs.all, properties.VpcId);
        const name = properties.GroupName ?? `${logicalId}-${this.world.random.hex(12)}`;
        const group = this.create(name, properties.GroupDescription, vpc.vpcId, properties.Tags);
        // A group that says nothing about egress lets everything out.
        const egress: RuleInput[] = properties.SecurityGroupEgress?.map(fromEgress) ?? [
          { IpProtocol: '-1', CidrIp: '0.0.0.0/0' },
        ];
        group.ingress = properties.SecurityGroupIngress.map((rule) => this.rule(fromIngress(rule), group));
        group.egress = egress.map((rule) => this.rule(rule, group));
        const { groupId, vpcId } = group;
        return { ref: groupId, attributes: { GroupId: groupId, Id: groupId, VpcId: vpcId } };
      },
    ),
    'AWS::EC2::SecurityGroupIngress': provision(
      'AWS::EC2::SecurityGroupIngress',
      INGRESS.extend({ GroupId: z.string() }),
      ({ GroupId, ...input }) => {
        const group = get('sg', this.all, GroupId);
        const rule = this.rule(fromIngress(input), group);
        group.ingress.push(rule);
        return { ref: rule.id, attributes: { Id: rule.id } };
      },
    ),
    'AWS::EC2::SecurityGroupEgress': provision(
      'AWS::EC2::SecurityGroupEgress',
      EGRESS.extend({ GroupId: z.string() }),
      ({ GroupId, ...input }) => {
        const group = get('sg', this.all, GroupId);
        const rule = this.rule(fromEgress(input), group);
        group.egress.push(rule);
        return { ref: rule.id, attributes: { Id: rule.id } };
      },
    ),
  };
}

const covers = (rule: Rule, port: number, protocol: string) =>
  (rule.protocol === '-1' || rule.protocol === protocol) && rule.fromPort <= port && port <= rule.toPort;

function permission(rule: Rule, account: string) {
  const { description } = rule;
  return {
    ipProtocol: rule.protocol,
    fromPort: rule.protocol === '-1' ? undefined : rule.fromPort,
    toPort: rule.protocol === '-1' ? undefined : rule.toPort,
    groups: rule.groupId ? [{ groupId: rule.groupId, userId: account, description }] : [],
    ipRanges: rule.cidr ? [{ cidrIp: rule.cidr.text, description }] : [],
    ipv6Ranges: rule.cidr6 ? [{ cidrIpv6: rule.cidr6, description }] : [],
    prefixListIds: rule.prefixListId ? [{ prefixListId: rule.prefixListId, description }] : [],
  };
}
