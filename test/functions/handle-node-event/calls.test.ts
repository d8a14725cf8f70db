import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTargetHealthCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { marshalAll } from '../../../functions/aws/attributes';
import { wire } from '../../../functions/handle-node-event/handler';
import { id } from '../cluster/world';
import { NOW, testPlatform } from '../support/platform';
import { tick } from './events';

const dynamodb = mockClient(DynamoDBClient);
const ec2 = mockClient(EC2Client);
const elb = mockClient(ElasticLoadBalancingV2Client);
const ssm = mockClient(SSMClient);
const others = [mockClient(EventBridgeClient), mockClient(SFNClient)];
const SLOTS = [0, 1, 2];

beforeEach(() => {
  dynamodb.on(ScanCommand).resolves({
    Items: [
      marshalAll({
        id: 'cluster',
        desired: 'present',
        phase: 'initialised',
        caHash: 'c'.repeat(64),
        incarnation: 'life-1',
        paused: false,
      }),
      ...SLOTS.map((slot) =>
        marshalAll({
          id: `slot/${slot}`,
          generation: 1,
          instances: { [id(slot)]: { generation: 1, launchedAt: NOW - 3_600_000 } },
          departures: {},
        }),
      ),
    ],
  });
  ec2.on(DescribeInstancesCommand).resolves({
    Reservations: SLOTS.map((slot) => ({
      Instances: [
        {
          InstanceId: id(slot),
          State: { Name: 'running' },
          PrivateIpAddress: `10.0.${slot}.1`,
          Tags: Object.entries({
            'k3s:cluster': 'demo',
            'k3s:role': 'server',
            'k3s:slot': String(slot),
            'k3s:generation': '1',
          }).map(([Key, Value]) => ({ Key, Value })),
        },
      ],
    })),
  });
  elb.on(DescribeTargetHealthCommand).resolves({
    TargetHealthDescriptions: SLOTS.map((slot) => ({ Target: { Id: id(slot) }, TargetHealth: { State: 'healthy' } })),
  });
  ssm.on(DescribeInstanceInformationCommand).resolves({
    InstanceInformationList: SLOTS.map((slot) => ({ InstanceId: id(slot), PingStatus: 'Online' })),
  });
});

function connected() {
  const invoke = wire({
    ...testPlatform({
      CLUSTER: 'demo',
      TABLE: 'table',
      SERVERS: '3',
      TARGET_GROUPS: 'arn:http,arn:https,arn:api',
      STATE_MACHINE: 'arn:aws:states:eu-west-3:123456789012:stateMachine:k3s-demo',
    }),
    client: { region: 'eu-west-3' },
  });
  const calls = () => [dynamodb, ec2, elb, ssm, ...others].reduce((sum, client) => sum + client.calls().length, 0);
  return { invoke, calls };
}

it('when all is well, the minute check makes at most five AWS calls', async () => {
  const { invoke, calls } = connected();
  expect(await invoke(tick())).toMatchObject({ decision: 'none', reason: '3 servers and nothing against them' });
  expect(calls()).toBeGreaterThan(0);
  expect(calls()).toBeLessThanOrEqual(5);
});

it('a look that is throttled everywhere does nothing', async () => {
  const throttled = Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
  ec2.on(DescribeInstancesCommand).rejects(throttled);
  elb.on(DescribeTargetHealthCommand).rejects(throttled);
  ssm.on(DescribeInstanceInformationCommand).rejects(throttled);
  const { invoke } = connected();
  expect(await invoke(tick())).toMatchObject({
    decision: 'none',
    reason: expect.stringContaining('nothing could be observed: EC2 instances'),
  });
  dynamodb.on(ScanCommand).rejects(throttled);
  await expect(invoke(tick())).rejects.toMatchObject({ name: 'Throttled' });
});
