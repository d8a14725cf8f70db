import { cleanUp, ofType, only, type Resource, synth, type Template, text } from './stack';

afterAll(cleanUp);

const publicMode = synth().template;
const privateMode = synth({ network: { mode: 'private' } }).template;

const idOf = (template: Template, description: RegExp) =>
  [...ofType(template, 'AWS::EC2::SecurityGroup')].find(([, group]) =>
    description.test(text(group.Properties.GroupDescription)),
  )?.[0] ?? '';

/** Rules as lines: `tcp 80 from …`. */
function rules(resource: Resource, property: string): string[] {
  const list = resource.Properties[property];
  return Array.isArray(list) ? list.map(line).sort() : [];
}

function line(rule: unknown): string {
  const { IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupId, DestinationSecurityGroupId } = rule as Record<
    string,
    string | number
  >;
  const ports = FromPort === ToPort ? FromPort : `${FromPort}-${ToPort}`;
  return `${IpProtocol} ${ports ?? 'all'} ${CidrIp ?? text(SourceSecurityGroupId ?? DestinationSecurityGroupId)}`;
}

describe.each([
  ['public', publicMode],
  ['private', privateMode],
])('in %s mode', (_mode, template) => {
  const nodes = idOf(template, /^K3s servers/);
  const balancer = idOf(template, /^Load balancer/);

  it('the nodes admit the load balancer and each other, and no one else', () => {
    const admitted = [...ofType(template, 'AWS::EC2::SecurityGroupIngress').values()].map((rule) => {
      expect(text(rule.Properties.GroupId)).toBe(`<${nodes}.GroupId>`);
      return line(rule.Properties);
    });
    expect(admitted.sort()).toEqual(
      [
        `tcp 10250 <${nodes}.GroupId>`,
        `tcp 2379-2380 <${nodes}.GroupId>`,
        `tcp 32000 <${balancer}.GroupId>`,
        `tcp 443 <${balancer}.GroupId>`,
        `tcp 6443 <${balancer}.GroupId>`,
        `tcp 6443 <${nodes}.GroupId>`,
        `tcp 80 <${balancer}.GroupId>`,
        `udp 8472 <${nodes}.GroupId>`,
      ].sort(),
    );
    expect(rules(template.Resources[nodes]!, 'SecurityGroupIngress')).toEqual([]);
  });

  it('the load balancer admits the world to 80 and 443 only, and reaches the nodes only', () => {
    expect(rules(template.Resources[balancer]!, 'SecurityGroupIngress')).toEqual([
      'tcp 443 0.0.0.0/0',
      'tcp 80 0.0.0.0/0',
    ]);
    expect(rules(template.Resources[balancer]!, 'SecurityGroupEgress')).toEqual(
      [32000, 443, 6443, 80].map((port) => `tcp ${port} <${nodes}.GroupId>`),
    );
    expect(ofType(template, 'AWS::EC2::SecurityGroupEgress').size).toBe(0);
  });

  it('there are subnets in three zones, taken by position so that any region fits', () => {
    const zones = [...ofType(template, 'AWS::EC2::Subnet').values()].map((subnet) =>
      JSON.stringify(subnet.Properties.AvailabilityZone),
    );
    expect(new Set(zones)).toEqual(
      new Set([0, 1, 2].map((index) => JSON.stringify({ 'Fn::Select': [index, { 'Fn::GetAZs': '' }] }))),
    );
  });

  it('S3 is reached without the NAT gateway', () => {
    expect(text(only(template, 'AWS::EC2::VPCEndpoint').Properties.ServiceName)).toMatch(/\.s3$/);
  });

  it('the default security group is left alone: no custom resource with rights over security groups', () => {
    expect([...ofType(template, 'Custom::VpcRestrictDefaultSG').keys()]).toEqual([]);
  });
});

describe('the networks of operators', () => {
  const template = synth({ apiCidrs: ['203.0.113.0/24', '198.51.100.7/32'] }).template;

  it('reach the Kubernetes API through the load balancer', () => {
    expect(rules(template.Resources[idOf(template, /^Load balancer/)]!, 'SecurityGroupIngress')).toEqual([
      'tcp 443 0.0.0.0/0',
      'tcp 6443 198.51.100.7/32',
      'tcp 6443 203.0.113.0/24',
      'tcp 80 0.0.0.0/0',
    ]);
  });
});

describe('NAT gateways', () => {
  const count = (template: Template) => ofType(template, 'AWS::EC2::NatGateway').size;

  it('are none in public mode, one per zone in private mode, or a single one', () => {
    expect(count(publicMode)).toBe(0);
    expect(count(privateMode)).toBe(3);
    expect(count(synth({ network: { mode: 'private', nat: 'single' } }).template)).toBe(1);
  });

  it('stand between the servers and the internet: no server gets a public address', () => {
    for (const subnet of ofType(privateMode, 'AWS::EC2::Subnet').values()) {
      expect(subnet.Properties.MapPublicIpOnLaunch).toBe(false);
    }
  });
});

describe('zones by name', () => {
  const zones = ['us-east-1a', 'us-east-1b', 'us-east-1d', 'us-east-1f'];
  const { template } = synth({ region: 'us-east-1', network: { availabilityZones: zones } });

  it('are used as named', () => {
    expect(
      [...ofType(template, 'AWS::EC2::Subnet').values()].map((subnet) => subnet.Properties.AvailabilityZone),
    ).toEqual(zones);
  });
});
