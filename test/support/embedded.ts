/** An embedded AWS in virtual time with the stack deployed, and what a person would do to it: call the AWS API. */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Denial } from '../../local/aws/iam';
import type { World } from '../../local/aws/service';
import type { Execution } from '../../local/aws/stepfunctions';
import { VirtualClock } from '../../local/clock';
import { boot, type EmbeddedAws, type EmbeddedOptions } from '../../local/embedded';
import type { LatencyName } from '../../local/latency';
import type { HistoryEvent } from '../../local/states-language';
import { assembly } from './assembly-path';
import { call } from './call';
import { InProcessRuntime } from './in-process-runtime';
import { clientConfig, sender } from './sdk';

// The tests' clients must not read the profile of whoever runs them.
process.env.AWS_CONFIG_FILE = '/dev/null';
process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';

export interface TestOptions {
  seed?: number | string;
  /** False: no rule of EventBridge is enabled, so that what happens is what the test does. */
  healer?: boolean;
  /** Other than the run's own. */
  assembly?: string;
  /** Runs the node scripts with bash, their disks below this directory; otherwise their twins stand in. */
  directory?: string;
  runtime?: EmbeddedOptions['runtime'];
  /** Compares policies with AWS' reference; not unless asked, because each process would have to load it. */
  reviewPolicies?: boolean;
  /** Told of every call that reached AWS, after it, in place of `calls`; the tests' own are not among them. */
  observe?(call: ObservedCall): void;
  /** False: `lines` stays empty. */
  log?: boolean;
}

/** A call that reached AWS. */
export interface ObservedCall {
  at: number;
  service: string;
  operation: string;
  /** Who called: the session name of its role, or `root`. */
  caller: string;
  /** Its session's: another one for each environment of a function. */
  accessKeyId: string;
  input: unknown;
  /** The code it was answered with. */
  error: string | undefined;
}

/** What an execution came to, as DescribeExecution says, with its output parsed. */
export interface Ended extends Pick<DescribeExecutionCommandOutput, 'status' | 'error' | 'cause'> {
  arn: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it with matchers.
  output: any;
  /** AWS time. */
  seconds: number;
}

export type Workflow = 'cluster' | 'delete';

export class TestCluster {
  readonly sfn: SFNClient;
  readonly ec2: EC2Client;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly dynamodb: DynamoDBClient;
  /** Of this test's own calls. */
  readonly accessKeyId: string;
  private readonly expected = new Set<string>();
  readonly send: <T>(call: () => Promise<T>) => Promise<T>;

  constructor(
    readonly aws: EmbeddedAws,
    readonly clock: VirtualClock,
    /** In the order of their answers; the tests' own calls are not among them. */
    readonly calls: ObservedCall[],
    /** What was logged, and when, AWS time. */
    readonly lines: { at: number; message: string; detail?: Record<string, unknown> }[],
  ) {
    const { world } = aws;
    const caller = world.credentials.issue(person(world));
    this.accessKeyId = caller.accessKeyId;
    const config = clientConfig(world, aws.endpoint, caller);
    this.send = sender(clock, caller);
    this.sfn = new SFNClient(config);
    this.ec2 = new EC2Client(config);
    this.ssm = new SSMClient(config);
    this.secrets = new SecretsManagerClient(config);
    this.dynamodb = new DynamoDBClient(config);
  }

  get state() {
    return this.aws.state();
  }

  get servers() {
    return this.state.servers;
  }

  /** StartExecution; returns the execution's ARN. */
  start(workflow: Workflow, input: unknown = {}, name?: string): Promise<string> {
    return this.startRaw(JSON.stringify(input), workflow, name);
  }

  /** As `start`, with the input as text. */
  async startRaw(input: string, workflow: Workflow = 'cluster', name?: string): Promise<string> {
    const { executionArn = '' } = await this.send(() =>
      this.sfn.send(new StartExecutionCommand({ stateMachineArn: this.machine(workflow), input, name })),
    );
    return executionArn;
  }

  /** Starts an execution and lets time pass until it is over. */
  async run(workflow: Workflow, input: unknown = {}): Promise<Ended> {
    return this.ended(await this.start(workflow, input));
  }

  create(): Promise<Ended> {
    return this.run('cluster');
  }

  delete(): Promise<Ended> {
    return this.run('delete', { confirm: 'demo' });
  }

  /** Lets time pass until an execution is over. */
  async ended(arn: string): Promise<Ended> {
    await this.clock.until(this.aws.services.states.ended(arn));
    return this.describe(arn);
  }

  async describe(arn: string): Promise<Ended> {
    const { status, error, cause, output, startDate, stopDate } = await this.send(() =>
      this.sfn.send(new DescribeExecutionCommand({ executionArn: arn })),
    );
    const seconds = ((stopDate?.getTime() ?? this.clock.now()) - (startDate?.getTime() ?? 0)) / 1000;
    return { arn, status, error, cause, output: output === undefined ? undefined : JSON.parse(output), seconds };
  }

  stop(arn: string): Promise<unknown> {
    return this.send(() => this.sfn.send(new StopExecutionCommand({ executionArn: arn })));
  }

  terminate(...instanceIds: string[]): Promise<unknown> {
    return this.send(() => this.ec2.send(new TerminateInstancesCommand({ InstanceIds: instanceIds })));
  }

  /** The value of a secret. */
  async secret(id: string): Promise<string> {
    const { SecretString = '' } = await this.send(() => this.secrets.send(new GetSecretValueCommand({ SecretId: id })));
    return SecretString;
  }

  /** Lets time pass until an execution does something that satisfies the predicate, and no further. */
  async moment(predicate: (event: HistoryEvent, execution: Execution) => boolean): Promise<Execution> {
    const { states } = this.aws.services;
    const ends: (() => void)[] = [];
    const seen = new Promise<Execution>((resolve, reject) => {
      const onHistory = states.onHistory((execution, event) => {
        if (predicate(event, execution)) resolve(execution);
      });
      const onStatus = states.onStatus(({ error, cause }) => {
        if (states.listExecutions().some(({ status }) => status === 'RUNNING')) return;
        reject(new Error(`it did not happen before the last execution ended: ${error} ${cause}`));
      });
      ends.push(onHistory, onStatus);
    });
    try {
      return await this.clock.until(seen);
    } finally {
      for (const end of ends) end();
    }
  }

  /** Lets time pass until some execution enters this state for the nth time from now on. */
  enters(state: string, nth = 1): Promise<Execution> {
    let left = nth;
    return this.moment((event) => stateEntered(event) === state && --left === 0);
  }

  /** Lets time pass until something is true of the cluster; looks every second of AWS time. */
  async becomes(predicate: () => boolean, seconds = 900): Promise<void> {
    for (let passed = 0; !predicate(); passed++) {
      if (passed >= seconds) throw new Error(`not so after ${seconds} s: ${predicate}`);
      await this.clock.advance(1000);
    }
  }

  /** Lets time pass, seconds. */
  pass(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1000);
  }

  /** As a person would who wants to be alone with the cluster. */
  async disableRules(): Promise<void> {
    const rules = [...this.aws.stack.resources.values()].filter(({ type }) => type === 'AWS::Events::Rule');
    const { world, services } = this.aws;
    for (const { ref } of rules) await call(world, services.events, 'DisableRule', { Name: ref });
  }

  /** Fault: from now on this takes so long, seconds of AWS time. */
  slow(name: LatencyName, seconds: number): void {
    const { latency } = this.aws.world;
    const sample = latency.sample.bind(latency);
    latency.sample = (asked, ...about) => (asked === name ? seconds * 1000 : sample(asked, ...about));
  }

  /** Every instance that was ever launched, as long as EC2 remembers it. */
  get launched() {
    return this.state.instances;
  }

  /** Instances that are not terminated, whoever launched them. */
  get living() {
    return this.launched.filter(({ state }) => state !== 'terminated');
  }

  /** The server of a slot. */
  server(slot: number) {
    const server = this.servers.find((candidate) => candidate.slot === slot);
    if (!server) throw new Error(`slot ${slot} has no server`);
    return server;
  }

  /** The server that starts the cluster, once it was chosen: the others join it. */
  async initialiser() {
    const [first] = this.state.members;
    const latched = (await this.item('cluster'))?.initInstanceId?.S;
    const server = this.servers.find(({ privateIp, instanceId }) =>
      first ? privateIp === first.address : instanceId === latched,
    );
    if (!server) throw new Error('no server was chosen to start the cluster');
    return server;
  }

  typeOf(instanceId: string): string | undefined {
    return this.aws.services.ec2.instance(instanceId)?.type.name;
  }

  /** An item of the stack's table, as the functions store it; undefined when there is none. */
  async item(id: string) {
    const { Item } = await this.send(() =>
      this.dynamodb.send(new GetItemCommand({ TableName: this.table, Key: { id: { S: id } }, ConsistentRead: true })),
    );
    return Item;
  }

  /** The name of the stack's table. */
  get table(): string {
    const table = [...this.aws.stack.resources.values()].find(({ type }) => type === 'AWS::DynamoDB::Table');
    return table?.ref ?? '';
  }

  /** What was denied so far, which is what this test is about. */
  expectedDenials(): readonly Denial[] {
    const { denials } = this.aws.services.iam.authority;
    for (const { message } of denials) this.expected.add(message);
    return denials;
  }

  get unexpectedDenials(): readonly Denial[] {
    return this.aws.services.iam.authority.denials.filter(({ message }) => !this.expected.has(message));
  }

  close(): Promise<void> {
    open.delete(this);
    return this.aws.close();
  }

  private machine(workflow: Workflow): string {
    const { StateMachineArn = '', DeleteStateMachineArn = '' } = this.aws.stack.outputs;
    return workflow === 'cluster' ? StateMachineArn : DeleteStateMachineArn;
  }
}

/** The name of the state that an event enters. */
export function stateEntered({ type, details }: HistoryEvent): string | undefined {
  if (!type.endsWith('StateEntered')) return undefined;
  const name = Object.values(details)[0]?.name;
  return typeof name === 'string' ? name : undefined;
}

/** Whoever runs the tests is the account's root user: no role of the stack. */
export const person = ({ account }: Pick<World, 'account'>) => `arn:aws:iam::${account}:root`;

const open = new Set<TestCluster>();

/**
 * Ends the clusters of the test that has just run.
 * @throws Error when one of them denied a call that the test has not said it expects
 */
export async function closeAll(): Promise<void> {
  const denied = [...open].flatMap((cluster) => cluster.unexpectedDenials);
  for (const cluster of open) await cluster.close();
  open.clear();
  if (denied.length > 0) throw new Error(`access was denied:\n${denied.map(({ message }) => message).join('\n')}`);
}

/** Boots an embedded AWS without sockets, in virtual time: the same for the same seed. */
export async function bootTest({
  seed = 1,
  healer = true,
  assembly: path = assembly(),
  directory,
  runtime = (surroundings) => new InProcessRuntime(surroundings),
  observe: told,
  log = true,
  reviewPolicies = false,
}: TestOptions = {}): Promise<TestCluster> {
  const clock = new VirtualClock();
  const calls: ObservedCall[] = [];
  const lines: TestCluster['lines'] = [];
  let cluster: TestCluster | undefined;
  const booting = boot({
    assembly: path,
    clock,
    seed,
    directory,
    runtime,
    reviewPolicies,
    observe: ({ service, operation, input, caller, error }) => {
      if (caller.accessKeyId === cluster?.accessKeyId) return;
      const session = caller.principal.split(/[/:]/).at(-1) ?? '';
      const { accessKeyId } = caller;
      const call: ObservedCall = { at: clock.now(), service, operation, caller: session, accessKeyId, input, error };
      if (told) told(call);
      else calls.push(call);
    },
    log: log ? (message, detail) => void lines.push({ at: clock.now(), message, detail }) : undefined,
  });
  const aws = await clock.until(booting);
  // What follows is the cluster's doing, not the deployment's.
  calls.length = 0;
  cluster = new TestCluster(aws, clock, calls, lines);
  if (!healer) await cluster.disableRules();
  open.add(cluster);
  return cluster;
}
