import { EC2Client, RunInstancesCommand, type RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { Ec2, type Ec2Event, publicImageParameter } from '../../../../local/aws/ec2';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { IdleHost } from '../../../support/machines';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

export const IMAGE = publicImageParameter('/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64')!;

/** An EC2 with a VPC, a subnet per zone, a security group and a launch template, and a client that talks to it. */
export async function ec2Fixture() {
  const world = testWorld('ec2');
  const host = new IdleHost();
  const events: Ec2Event[] = [];
  let address = 10;
  const ec2 = new Ec2(world, {
    host,
    emit: (event) => events.push(event),
    nextAddress: () => `127.77.3.${address++}`,
    assumes: () => true,
    roleOfProfile: (profile) =>
      profile.endsWith('server') ? 'arn:aws:iam::123456789012:role/k3s-demo-ServerRole' : undefined,
  });
  const create = async (type: string, logicalId: string, properties: Record<string, unknown>) => {
    const provision = ec2.resources[type];
    if (!provision) throw new Error(`no resource type ${type}`);
    return provision(logicalId, properties);
  };
  const vpc = await create('AWS::EC2::VPC', 'Vpc', { CidrBlock: '10.0.0.0/16' });
  const subnets: string[] = [];
  for (const [index, AvailabilityZone] of world.zones.entries()) {
    const properties = { VpcId: vpc.ref, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone, MapPublicIpOnLaunch: true };
    subnets.push((await create('AWS::EC2::Subnet', `Subnet${index}`, properties)).ref);
  }
  const group = await create('AWS::EC2::SecurityGroup', 'Servers', { GroupDescription: 'servers', VpcId: vpc.ref });
  const template = await create('AWS::EC2::LaunchTemplate', 'Template', {
    LaunchTemplateData: {
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 20, VolumeType: 'gp3', Encrypted: true } }],
      IamInstanceProfile: { Name: 'server' },
      ImageId: IMAGE,
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      Monitoring: { Enabled: true },
      SecurityGroupIds: [group.ref],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'k3s:cluster', Value: 'demo' }] }],
      UserData: Buffer.from('#!/bin/bash\necho up\n').toString('base64'),
    },
  });
  const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/LaunchServer/test');
  const endpoint = createEndpoint(world, [ec2]);
  const client = new EC2Client(clientConfig(world, endpoint, caller));
  const send = sender(world.clock, caller);
  const launch = async (overrides: Partial<RunInstancesCommandInput> = {}) => {
    const answer = await send(() =>
      client.send(
        new RunInstancesCommand({
          InstanceType: 't4g.medium',
          LaunchTemplate: { LaunchTemplateId: template.ref, Version: '1' },
          MinCount: 1,
          MaxCount: 1,
          SubnetId: subnets[0],
          ...overrides,
        }),
      ),
    );
    return answer.Instances![0]!;
  };
  return { world, host, events, ec2, create, vpc, subnets, group, template, client, send, launch };
}
