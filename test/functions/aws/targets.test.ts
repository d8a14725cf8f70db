import {
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { mockClient } from 'aws-sdk-client-mock';
import { isInvalidTarget } from '../../../functions/aws/errors';
import { Targets } from '../../../functions/aws/targets';

const elb = mockClient(ElasticLoadBalancingV2Client);
const targets = new Targets({ region: 'eu-west-3' }, { http: 'arn:http', https: 'arn:https', api: 'arn:api' });
const failing = (name: string) => Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 400 } });

beforeEach(() => elb.reset());

describe('the target groups', () => {
  it('are registered with all three, on their own ports', async () => {
    elb.on(RegisterTargetsCommand).resolves({});
    expect(await targets.register('i-1')).toBe(3);
    expect(elb.commandCalls(RegisterTargetsCommand).map(({ args }) => args[0].input)).toEqual([
      { TargetGroupArn: 'arn:http', Targets: [{ Id: 'i-1' }] },
      { TargetGroupArn: 'arn:https', Targets: [{ Id: 'i-1' }] },
      { TargetGroupArn: 'arn:api', Targets: [{ Id: 'i-1' }] },
    ]);
  });

  // The wire says InvalidTarget; the SDK's model calls it InvalidTargetException.
  it.each(['InvalidTarget', 'InvalidTargetException'])('refuse what does not run with %s', async (name) => {
    elb.on(RegisterTargetsCommand).rejects(failing(name));
    expect(isInvalidTarget(await targets.register('i-1').catch((error: unknown) => error))).toBe(true);
  });

  it('let go of what is no target any more', async () => {
    elb.on(DeregisterTargetsCommand).rejects(failing('InvalidTarget'));
    expect(await targets.deregister('i-1')).toBe(3);
  });

  it('do not hide why they would not let go', async () => {
    elb.on(DeregisterTargetsCommand).rejects(failing('TargetGroupNotFound'));
    await expect(targets.deregister('i-1')).rejects.toMatchObject({ name: 'TargetGroupNotFound' });
  });

  it('tell the health of every target, and admit what they do not know', async () => {
    elb.on(DescribeTargetHealthCommand, { TargetGroupArn: 'arn:api' }).resolves({
      TargetHealthDescriptions: [
        { Target: { Id: 'i-1' }, TargetHealth: { State: 'healthy' } },
        { Target: { Id: 'i-2' }, TargetHealth: { State: 'draining' } },
        { Target: { Id: 'i-3' }, TargetHealth: { State: 'unavailable' } },
      ],
    });
    expect(await targets.health('api')).toEqual(
      new Map([
        ['i-1', 'healthy'],
        ['i-2', 'draining'],
        ['i-3', 'unknown'],
      ]),
    );
  });
});
