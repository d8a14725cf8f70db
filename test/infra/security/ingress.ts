/** What the network lets in. */
import * as z from 'zod';
import { ofType, text } from '../stack';
import type { Rule, Subject } from './rule';

const RULE = z.object({
  IpProtocol: z.union([z.string(), z.number()]).transform(String),
  FromPort: z.number().optional(),
  ToPort: z.number().optional(),
  CidrIp: z.string().optional(),
  CidrIpv6: z.string().optional(),
  SourcePrefixListId: z.unknown().optional(),
  SourceSecurityGroupId: z.unknown().optional(),
});
interface Ingress extends z.output<typeof RULE> {
  group: string;
}

/** Every rule that admits anything, within a group or apart from it. */
function admitted({ template }: Subject): Ingress[] {
  const within = [...ofType(template, 'AWS::EC2::SecurityGroup')].flatMap(([id, { Properties }]) =>
    z
      .array(RULE)
      .default([])
      .parse(Properties.SecurityGroupIngress)
      .map((rule) => ({ ...rule, group: `<${id}.GroupId>` })),
  );
  const apart = [...ofType(template, 'AWS::EC2::SecurityGroupIngress').values()].map(({ Properties }) => ({
    ...RULE.parse(Properties),
    group: text(Properties.GroupId),
  }));
  return [...within, ...apart];
}

const tell = ({ group, IpProtocol, FromPort, ToPort, CidrIp, CidrIpv6 }: Ingress) =>
  `${group} admits ${CidrIp ?? CidrIpv6 ?? 'others'} to ${IpProtocol} ${FromPort}-${ToPort}`;

const fromGroup = ({ SourceSecurityGroupId }: Ingress) => SourceSecurityGroupId !== undefined;

/** The groups that the launch template gives to servers. */
function nodeGroups({ template }: Subject): string {
  return JSON.stringify([...ofType(template, 'AWS::EC2::LaunchTemplate').values()]);
}

export const theWorldReachesHttpAndHttpsOnly: Rule = (subject) =>
  admitted(subject)
    .filter((rule) => !fromGroup(rule))
    .filter(({ IpProtocol, FromPort, ToPort, CidrIp }) => {
      const port = IpProtocol === 'tcp' && FromPort === ToPort ? FromPort : undefined;
      if (port === 80 || port === 443) return CidrIp !== '0.0.0.0/0';
      return port !== 6443 || CidrIp === undefined || !subject.config.apiCidrs.includes(CidrIp);
    })
    .map(tell);

export const serversAdmitGroupsOnly: Rule = (subject) => {
  const groups = nodeGroups(subject);
  return admitted(subject)
    .filter((rule) => !fromGroup(rule) && groups.includes(/<(\w+)/.exec(rule.group)?.[1] ?? '?'))
    .map(tell);
};

/** SSH, and whatever else nobody has thought of: the ports that servers and the load balancer need, and no range over them. */
const PORTS = [
  'tcp 80-80',
  'tcp 443-443',
  'tcp 6443-6443',
  'tcp 32000-32000',
  'tcp 2379-2380',
  'tcp 10250-10250',
  'udp 8472-8472',
];

export const onlyKnownPortsAreOpen: Rule = (subject) =>
  admitted(subject)
    .filter(({ IpProtocol, FromPort, ToPort }) => !PORTS.includes(`${IpProtocol} ${FromPort}-${ToPort}`))
    .map(tell);

export const privateServersHaveNoPublicAddress: Rule = ({ template, config }) =>
  config.network.mode === 'public'
    ? []
    : [...ofType(template, 'AWS::EC2::Subnet')]
        .filter(([, { Properties }]) => Properties.MapPublicIpOnLaunch !== false)
        .map(([id]) => `${id} gives out public addresses`);
