/**
 * The whole thing as `npm run local` runs it: the deployed bundles in workers, the node scripts with bash, real sockets,
 * AWS time running faster than real time. A single cluster lives through everything, because this takes real seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DescribeExecutionCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { ListCommandsCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { ScaledClock } from '../../local/clock';
import { boot, type EmbeddedAws } from '../../local/embedded';
import { assembly } from '../support/assembly-path';
import { leaks } from '../support/leaks';
import { secretsOf } from '../support/secrets';
import { Overheard, surfaces } from '../support/surfaces';

/** AWS seconds per second. */
const SCALE = 40;

let aws: EmbeddedAws;
let directory: string;
let overheard: Overheard;
const calls: unknown[] = [];
const lines: unknown[] = [];
/** Of every server that ever ran. */
const secrets: Record<string, string> = {};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'k3s-ha-real-'));
  aws = await boot({
    assembly: assembly(),
    clock: new ScaledClock(SCALE),
    seed: 1,
    port: 0,
    directory,
    observe: ({ operation, input }) => calls.push({ operation, input }),
    log: (message, detail) => lines.push({ message, detail }),
  });
  overheard = new Overheard(aws);
});

afterAll(async () => {
  await aws.close();
  rmSync(directory, { recursive: true });
});

/** Any client of anybody: the endpoint listens, and takes made-up long-term keys. */
const config = () => ({
  region: 'eu-west-3',
  endpoint: aws.url,
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'test' },
});

async function run(stateMachineArn: string | undefined, input: unknown) {
  const sfn = new SFNClient(config());
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  for (;;) {
    const { status, error, cause, output } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return { status, error, cause, output: output && JSON.parse(output) };
    await delay(100);
  }
}

const STATE = z.object({
  servers: z.array(
    z.object({
      instanceId: z.string(),
      slot: z.number(),
      ready: z.boolean(),
      etcdVoter: z.boolean(),
      privateIp: z.string(),
    }),
  ),
  targetGroups: z.array(z.object({ port: z.number(), healthy: z.number(), unhealthy: z.number() })),
  instances: z.array(z.object({ instanceId: z.string(), state: z.string() })),
});

async function state() {
  const response = await fetch(`${aws.url}/_local/state`);
  return STATE.parse(await response.json());
}

/** One request from outside, on a connection of its own. */
async function visit(): Promise<{ status: number; body: string }> {
  const response = await fetch(aws.state().urls['80'] ?? '', { headers: { connection: 'close' } });
  return { status: response.status, body: await response.text() };
}

it('creates a cluster that answers through the load balancer', async () => {
  const { stateMachines } = await new SFNClient(config()).send(new ListStateMachinesCommand({}));
  expect(stateMachines?.map(({ name }) => name)).toEqual(expect.arrayContaining(['k3s-demo', 'k3s-demo-delete']));
  const creation = await run(aws.stack.outputs.StateMachineArn, {});
  expect(creation).toMatchObject({ status: 'SUCCEEDED', output: { status: 'converged', rounds: 1 } });
  const { servers, targetGroups } = await state();
  expect(servers.map(({ ready, etcdVoter }) => ready && etcdVoter)).toEqual([true, true, true]);
  expect(targetGroups).toEqual([80, 443, 6443].map((port) => ({ port, healthy: 3, unhealthy: 0 })));
  expect((await visit()).status).toBe(200);
  Object.assign(secrets, await secretsOf(aws));
});

it('answers what the AWS CLI asks', async () => {
  const elb = new ElasticLoadBalancingV2Client(config());
  const { TargetGroups = [] } = await elb.send(new DescribeTargetGroupsCommand({}));
  for (const { TargetGroupArn } of TargetGroups) {
    const { TargetHealthDescriptions } = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    expect(TargetHealthDescriptions?.map(({ TargetHealth }) => TargetHealth?.State)).toEqual(Array(3).fill('healthy'));
  }
  const { Commands = [] } = await new SSMClient(config()).send(new ListCommandsCommand({}));
  expect(Commands.map(({ DocumentName }) => DocumentName)).toContain('k3s-demo-StartServer');
});

it('replaces a terminated server while the others go on answering', async () => {
  const [, victim] = (await state()).servers;
  await new EC2Client(config()).send(new TerminateInstancesCommand({ InstanceIds: [victim?.instanceId ?? ''] }));
  const repair = await run(aws.stack.outputs.StateMachineArn, { reason: 'a server is gone' });
  expect(repair).toMatchObject({ status: 'SUCCEEDED', output: { changed: true } });
  const { servers } = await state();
  expect(servers.map(({ ready, etcdVoter }) => ready && etcdVoter)).toEqual([true, true, true]);
  expect(servers.map(({ instanceId }) => instanceId)).not.toContain(victim?.instanceId);
  expect((await visit()).status).toBe(200);
  Object.assign(secrets, await secretsOf(aws));
});

it('deletes the cluster and leaves no instance', async () => {
  const deletion = await run(aws.stack.outputs.DeleteStateMachineArn, { confirm: 'demo' });
  expect(deletion).toMatchObject({ status: 'SUCCEEDED', output: { status: 'deleted' } });
  const { instances } = await state();
  expect(instances.filter((instance) => instance.state !== 'terminated')).toEqual([]);
  await aws.stack.requestDeletion();
});

it('has shown its secrets nowhere', async () => {
  expect(Object.keys(secrets).length).toBeGreaterThan(4);
  const places = await surfaces(aws, overheard, { calls, lines });
  expect(places['output of commands']?.includes('caHash')).toBe(true);
  expect(leaks(secrets, places)).toEqual([]);
});
