import {
  DescribeAvailabilityZonesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
} from '@aws-sdk/client-ec2';
import { ec2Fixture } from './fixture';

describe('provisioning', () => {
  it('refuses a property that is not modelled, by name', async () => {
    const { create } = await ec2Fixture();
    await expect(
      create('AWS::EC2::VPC', 'Vpc', { CidrBlock: '10.1.0.0/16', Ipv4IpamPoolId: 'x' }),
    ).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringMatching(/Vpc \(AWS::EC2::VPC\).*Ipv4IpamPoolId/),
    });
  });

  it.each([
    ['InvalidParameterValue', { CidrBlock: '10.0.3.0/24', AvailabilityZone: 'eu-west-3z' }],
    ['InvalidParameterValue', { CidrBlock: '10.0.3.1/24' }],
    ['InvalidSubnet.Range', { CidrBlock: '10.1.0.0/24' }],
    ['InvalidSubnet.Conflict', { CidrBlock: '10.0.1.128/25' }],
    ['InvalidVpcID.NotFound', { CidrBlock: '10.0.3.0/24', VpcId: 'vpc-0123456789abcdef0' }],
  ])('refuses a subnet with %s', async (code, properties) => {
    const { create, vpc } = await ec2Fixture();
    await expect(create('AWS::EC2::Subnet', 'Subnet', { VpcId: vpc.ref, ...properties })).rejects.toMatchObject({
      code,
    });
  });

  it('refuses a template that names an unknown group, type or image', async () => {
    const { create } = await ec2Fixture();
    const template = (LaunchTemplateData: object) =>
      create('AWS::EC2::LaunchTemplate', 'Template', { LaunchTemplateData });
    await expect(template({ SecurityGroupIds: ['sg-0123456789abcdef0'] })).rejects.toMatchObject({
      code: 'InvalidGroup.NotFound',
    });
    await expect(template({ InstanceType: 'z9.large' })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    await expect(template({ ImageId: 'ami-0123456789abcdef0' })).rejects.toMatchObject({
      code: 'InvalidAMIID.NotFound',
    });
    await expect(template({ UserData: Buffer.alloc(16385).toString('base64') })).rejects.toMatchObject({
      code: 'InvalidUserData.Malformed',
    });
  });

  it('routes public subnets through an internet gateway and private ones through NAT', async () => {
    const { create, vpc, subnets, launch, ec2 } = await ec2Fixture();
    const { InstanceId } = await launch();
    expect(ec2.reachesInternet(InstanceId!)).toBe(false);
    const gateway = await create('AWS::EC2::InternetGateway', 'Gateway', {});
    await create('AWS::EC2::VPCGatewayAttachment', 'Attachment', { VpcId: vpc.ref, InternetGatewayId: gateway.ref });
    const table = await create('AWS::EC2::RouteTable', 'Table', { VpcId: vpc.ref });
    const route = { RouteTableId: table.ref, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway.ref };
    await create('AWS::EC2::Route', 'Route', route);
    await expect(create('AWS::EC2::Route', 'Again', route)).rejects.toMatchObject({ code: 'RouteAlreadyExists' });
    await create('AWS::EC2::SubnetRouteTableAssociation', 'Association', {
      SubnetId: subnets[0],
      RouteTableId: table.ref,
    });
    expect(ec2.reachesInternet(InstanceId!)).toBe(true);

    const address = await create('AWS::EC2::EIP', 'Address', { Domain: 'vpc' });
    const nat = await create('AWS::EC2::NatGateway', 'Nat', {
      AllocationId: address.attributes.AllocationId,
      SubnetId: subnets[0],
    });
    const inner = await create('AWS::EC2::RouteTable', 'Inner', { VpcId: vpc.ref });
    await create('AWS::EC2::Route', 'InnerRoute', {
      RouteTableId: inner.ref,
      DestinationCidrBlock: '0.0.0.0/0',
      NatGatewayId: nat.ref,
    });
    await create('AWS::EC2::SubnetRouteTableAssociation', 'InnerAssociation', {
      SubnetId: subnets[1],
      RouteTableId: inner.ref,
    });
    const second = await launch({ SubnetId: subnets[1] });
    expect(ec2.reachesInternet(second.InstanceId!)).toBe(true);
  });
});

describe('security groups', () => {
  it('let pass what the egress of one end and the ingress of the other admit', async () => {
    const { create, vpc, group, ec2, launch, subnets } = await ec2Fixture();
    const balancer = await create('AWS::EC2::SecurityGroup', 'Balancer', {
      GroupDescription: 'load balancer',
      VpcId: vpc.ref,
      SecurityGroupEgress: [
        { IpProtocol: 'tcp', FromPort: 32000, ToPort: 32000, DestinationSecurityGroupId: group.ref },
      ],
      SecurityGroupIngress: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' }],
    });
    const { PrivateIpAddress } = await launch();
    const from = { groups: [balancer.ref], range: ec2.subnet(subnets[2]!).cidr };
    const to = ec2.peer(PrivateIpAddress!)!;
    expect(ec2.admits(from, to, 32000)).toBe(false);
    await create('AWS::EC2::SecurityGroupIngress', 'Check', {
      GroupId: group.ref,
      IpProtocol: 'tcp',
      FromPort: 32000,
      ToPort: 32000,
      SourceSecurityGroupId: balancer.ref,
    });
    expect(ec2.admits(from, to, 32000)).toBe(true);
    expect(ec2.admits(from, to, 6443)).toBe(false);
    expect(ec2.admits({ ...from, groups: [] }, to, 32000)).toBe(false);
    expect([80, 443].map((port) => ec2.exposed([balancer.ref], port))).toEqual([true, false]);
  });

  it('with ranges admit by the subnet of the peer', async () => {
    const { create, group, ec2, launch, subnets } = await ec2Fixture();
    await create('AWS::EC2::SecurityGroupIngress', 'Etcd', {
      GroupId: group.ref,
      IpProtocol: 'tcp',
      FromPort: 2379,
      ToPort: 2380,
      CidrIp: '10.0.1.0/24',
    });
    const servers = [await launch(), await launch({ SubnetId: subnets[1] })];
    const [first, second] = servers.map(({ PrivateIpAddress }) => ec2.peer(PrivateIpAddress!)!);
    expect(ec2.admits(second!, first!, 2380)).toBe(true);
    expect(ec2.admits(first!, second!, 2380)).toBe(false);
  });
});

describe('describing', () => {
  it('shows subnets, zones, groups, template versions and offerings', async () => {
    const { client, send, vpc, subnets, template, ec2, group } = await ec2Fixture();
    const { Subnets } = await send(() => client.send(new DescribeSubnetsCommand({ SubnetIds: subnets })));
    expect(Subnets?.map(({ SubnetId, AvailabilityZone }) => [SubnetId, AvailabilityZone])).toEqual([
      [subnets[0], 'eu-west-3a'],
      [subnets[1], 'eu-west-3b'],
      [subnets[2], 'eu-west-3c'],
    ]);
    const { AvailabilityZones } = await send(() => client.send(new DescribeAvailabilityZonesCommand({})));
    expect(AvailabilityZones?.map(({ ZoneName, ZoneId }) => [ZoneName, ZoneId])).toEqual([
      ['eu-west-3a', 'euw3-az1'],
      ['eu-west-3b', 'euw3-az2'],
      ['eu-west-3c', 'euw3-az3'],
    ]);
    const { SecurityGroups } = await send(() =>
      client.send(new DescribeSecurityGroupsCommand({ GroupIds: [group.ref] })),
    );
    expect(SecurityGroups).toMatchObject([
      {
        GroupId: group.ref,
        VpcId: vpc.ref,
        IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
      },
    ]);
    const { LaunchTemplateVersions } = await send(() =>
      client.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: template.ref, Versions: ['$Latest'] })),
    );
    expect(LaunchTemplateVersions).toMatchObject([
      { VersionNumber: 1, DefaultVersion: true, LaunchTemplateData: { MetadataOptions: { HttpTokens: 'required' } } },
    ]);
    ec2.setOffered('eu-west-3c', 't4g.medium', false);
    const { InstanceTypeOfferings } = await send(() =>
      client.send(
        new DescribeInstanceTypeOfferingsCommand({
          LocationType: 'availability-zone',
          Filters: [{ Name: 'instance-type', Values: ['t4g.medium'] }],
        }),
      ),
    );
    expect(InstanceTypeOfferings?.map(({ Location }) => Location)).toEqual(['eu-west-3a', 'eu-west-3b']);
  });
});
