import {
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { ServiceEvent } from '../../../../local/aws/events/event';
import type { InvokeAnswer, InvokeRequest } from '../../../../local/aws/lambda/invoker';
import { AwsError } from '../../../../local/aws/service';
import { StepFunctions } from '../../../../local/aws/stepfunctions';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { PERMISSIVE } from '../../../support/permissive';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

const ROLE = 'arn:aws:iam::123456789012:role/workflow';
const ARN = 'arn:aws:states:eu-west-3:123456789012:stateMachine:cluster';
const pass = { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } };
const wait = { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 3600, End: true } } };
const invoke = (fields: object = {}) => ({
  StartAt: 'Call',
  States: {
    Call: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of CloudFormation.
      Arguments: { FunctionName: '${CallArn}', Payload: { n: '{% $states.input.n %}' } },
      End: true,
      ...fields,
    },
  },
});

async function setUp(
  definition: object = pass,
  {
    answer = async () => ({ statusCode: 200, payload: '{"ok":true}' }),
    properties = {},
  }: { answer?: (request: InvokeRequest) => Promise<InvokeAnswer>; properties?: object } = {},
) {
  const world = testWorld();
  const events: ServiceEvent[] = [];
  const logs: { group: string; stream: string; message: string }[] = [];
  const requests: InvokeRequest[] = [];
  const service = new StepFunctions(world, {
    lambda: {
      invoke: (request) => {
        requests.push(request);
        return answer(request);
      },
    },
    emit: (event) => events.push(event),
    readObject: async (bucket, key) => (bucket === 'assets' && key === 'cluster.asl.json' ? text(definition) : '?'),
    authority: PERMISSIVE,
    logs: { has: () => true, write: (group, stream, message) => logs.push({ group, stream, message }) },
  });
  const create = (more: object) =>
    service.resources['AWS::StepFunctions::StateMachine']!('Cluster', {
      StateMachineName: 'cluster',
      RoleArn: ROLE,
      DefinitionString: text(definition),
      DefinitionSubstitutions: { CallArn: 'arn:aws:lambda:eu-west-3:123456789012:function:call' },
      ...more,
    });
  const provisioned = await create(properties);
  const api = (name: string, input: object) => world.clock.until(call(world, service, name, input));
  const run = async (input: object = {}, name?: string) => {
    const { executionArn } = (await api('StartExecution', {
      stateMachineArn: ARN,
      input: JSON.stringify(input),
      name,
    })) as { executionArn: string };
    await world.clock.until(service.ended(executionArn));
    return (await api('DescribeExecution', { executionArn })) as Record<string, unknown>;
  };
  return { world, service, events, logs, requests, create, provisioned, api, run };
}
const text = (definition: object) => JSON.stringify({ QueryLanguage: 'JSONata', ...definition });
const start = (more: object = {}) => ({ stateMachineArn: ARN, ...more });

describe('a state machine', () => {
  it('is created from a string with substitutions', async () => {
    const { provisioned, api } = await setUp(invoke());
    expect(provisioned).toMatchObject({ ref: ARN, attributes: { Arn: ARN, Name: 'cluster' } });
    expect(await api('DescribeStateMachine', { stateMachineArn: ARN })).toMatchObject({
      name: 'cluster',
      roleArn: ROLE,
      type: 'STANDARD',
      definition: expect.stringContaining('"FunctionName":"arn:aws:lambda:eu-west-3:123456789012:function:call"'),
    });
    expect(await api('ListStateMachines', {})).toMatchObject({ stateMachines: [{ stateMachineArn: ARN }] });
  });

  it('is created from an object in S3', async () => {
    const { run } = await setUp(pass, {
      properties: { DefinitionString: undefined, DefinitionS3Location: { Bucket: 'assets', Key: 'cluster.asl.json' } },
    });
    expect(await run({ a: 1 })).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}' });
  });

  it.each<[string, object, RegExp]>([
    ['a definition that is not valid', { DefinitionString: '{}' }, /SCHEMA_VALIDATION_FAILED/],
    ['a missing substitution', { DefinitionSubstitutions: {} }, /gives no value for CallArn/],
    ['an unknown property', { RoleArm: 'x' }, /does not model RoleArm/],
    ['an Express workflow', { StateMachineType: 'EXPRESS' }, /StateMachineType/],
    ['two definitions', { DefinitionS3Location: { Bucket: 'b', Key: 'k' } }, /exactly one of/],
    [
      'an integration that does not exist here',
      { DefinitionString: text(invoke({ Resource: 'arn:aws:states:::ecs:runTask' })) },
      /ecs:runTask of state "Call"/,
    ],
  ])('refuses %s', async (_, properties, message) => {
    const { create } = await setUp(invoke());
    expect((await refusal(Promise.resolve(create(properties)))).message).toMatch(message);
  });
});

describe('StartExecution', () => {
  it('runs the state machine with the input', async () => {
    const { run } = await setUp();
    expect(await run({ a: 1 }, 'first')).toMatchObject({
      executionArn: 'arn:aws:states:eu-west-3:123456789012:execution:cluster:first',
      stateMachineArn: ARN,
      name: 'first',
      status: 'SUCCEEDED',
      input: '{"a":1}',
      output: '{"a":1}',
      redriveCount: 0,
      startDate: expect.any(Date),
      stopDate: expect.any(Date),
    });
  });

  it('takes {} for a missing input and makes up a missing name', async () => {
    const { api, service } = await setUp();
    await api('StartExecution', start());
    expect(service.listExecutions()[0]).toMatchObject({ input: '{}', name: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it('is idempotent for the same name and input while the execution runs', async () => {
    const { api, service } = await setUp(wait);
    const first = await api('StartExecution', start({ name: 'n' }));
    expect(await api('StartExecution', start({ name: 'n' }))).toEqual(first);
    expect(service.listExecutions()).toHaveLength(1);
  });

  it('refuses a used name with another input, and for 90 days after the end', async () => {
    const { api, service, world } = await setUp(wait);
    await api('StartExecution', start({ name: 'n' }));
    const again = () => refusal(call(world, service, 'StartExecution', start({ name: 'n' })));
    expect(await refusal(call(world, service, 'StartExecution', start({ name: 'n', input: '{"a":1}' })))).toMatchObject(
      {
        code: 'ExecutionAlreadyExists',
        message: "Execution Already Exists: 'arn:aws:states:eu-west-3:123456789012:execution:cluster:n'",
      },
    );
    await world.clock.advance(3700_000);
    expect(await again()).toMatchObject({ code: 'ExecutionAlreadyExists' });
    await world.clock.advance(90 * 24 * 3600_000);
    expect(await api('StartExecution', start({ name: 'n' }))).toMatchObject({ executionArn: expect.any(String) });
  });

  it.each<[string, object, string]>([
    ['input that is not JSON', { input: '{' }, 'InvalidExecutionInput'],
    ['a name with a space', { name: 'a b' }, 'InvalidName'],
    ['a name with a colon', { name: 'a:b' }, 'InvalidName'],
    ['an unknown state machine', { stateMachineArn: `${ARN}x` }, 'StateMachineDoesNotExist'],
  ])('refuses %s', async (_, more, code) => {
    const { world, service } = await setUp();
    expect(await refusal(call(world, service, 'StartExecution', start(more)))).toMatchObject({ code });
  });

  it.each<[string, object]>([
    ['a name of 81 characters', { name: 'x'.repeat(81) }],
    ['an input above 262,144 bytes', { input: JSON.stringify('é'.repeat(131_072)) }],
    ['an unknown parameter', { inptu: '{}' }],
  ])('refuses %s in its schema', async (_, more) => {
    const { service } = await setUp();
    expect(service.operations.StartExecution!.input.safeParse(start(more)).success).toBe(false);
  });
});

describe('StopExecution', () => {
  it('aborts with error and cause', async () => {
    const { api, service } = await setUp(wait);
    await api('StartExecution', start({ name: 'n' }));
    const executionArn = service.listExecutions()[0]!.arn;
    expect(await api('StopExecution', { executionArn, error: 'E', cause: 'C' })).toEqual({
      stopDate: expect.any(Date),
    });
    expect(await api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'ABORTED',
      error: 'E',
      cause: 'C',
    });
  });

  it('changes nothing when the execution is over', async () => {
    const { api, run } = await setUp();
    const { executionArn } = await run();
    await api('StopExecution', { executionArn });
    expect(await api('DescribeExecution', { executionArn })).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('refuses an unknown execution', async () => {
    const { world, service } = await setUp();
    expect(await refusal(call(world, service, 'StopExecution', { executionArn: 'x' }))).toEqual({
      code: 'ExecutionDoesNotExist',
      message: "Execution Does Not Exist: 'x'",
      detail: {},
    });
  });
});

describe('a lambda:invoke task', () => {
  it('gets the whole answer of the API', async () => {
    const { run, requests } = await setUp(invoke());
    expect(JSON.parse(String((await run({ n: 7 })).output))).toMatchObject({
      ExecutedVersion: '$LATEST',
      Payload: { ok: true },
      StatusCode: 200,
      SdkHttpMetadata: { HttpStatusCode: 200 },
    });
    expect(requests[0]).toMatchObject({
      functionName: 'arn:aws:lambda:eu-west-3:123456789012:function:call',
      payload: '{"n":7}',
      invocationType: 'RequestResponse',
    });
  });

  it('fails with the type of the function’s error, the whole error as cause', async () => {
    const payload = '{"errorType":"LeaseLost","errorMessage":"held by another","trace":[]}';
    const { run } = await setUp(invoke(), {
      answer: async () => ({ statusCode: 200, functionError: 'Unhandled', payload }),
    });
    expect(await run({ n: 1 })).toMatchObject({ status: 'FAILED', error: 'LeaseLost', cause: payload });
  });

  it('fails with Lambda.Unknown when the error has no type', async () => {
    const { run } = await setUp(invoke(), {
      answer: async () => ({ statusCode: 200, functionError: 'Unhandled', payload: '{}' }),
    });
    expect(await run({ n: 1 })).toMatchObject({ error: 'Lambda.Unknown' });
  });

  it('fails with the API’s error, which a retrier may name', async () => {
    let calls = 0;
    const { run } = await setUp(invoke({ Retry: [{ ErrorEquals: ['Lambda.TooManyRequestsException'] }] }), {
      answer: async () => {
        if (++calls === 1) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
        throw new AwsError('ResourceNotFoundException', 'Function not found: f', 404);
      },
    });
    expect(await run({ n: 1 })).toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
      cause: expect.stringContaining('Function not found: f (Service: Lambda, Status Code: 404, Request ID: '),
    });
    expect(calls).toBe(2);
  });

  it('refuses arguments that the API does not have', async () => {
    const { run } = await setUp(invoke({ Arguments: { FunctionName: 'f', Paylaod: {} } }));
    expect(await run()).toMatchObject({ error: 'States.Runtime', cause: expect.stringContaining('Paylaod') });
  });
});

describe('a task token', () => {
  it('completes, fails and keeps alive its task through the API', async () => {
    const { api, requests, service, world } = await setUp(
      invoke({
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Arguments: { FunctionName: 'f', Payload: '{% $states.context.Task.Token %}' },
      }),
    );
    await api('StartExecution', start());
    await world.clock.advance(1000);
    const taskToken: unknown = JSON.parse(requests[0]!.payload);
    await api('SendTaskHeartbeat', { taskToken });
    await api('SendTaskSuccess', { taskToken, output: '{"done":1}' });
    const execution = await world.clock.until(service.ended(service.listExecutions()[0]!.arn));
    expect(execution.output).toBe('{"done":1}');
    expect(await refusal(call(world, service, 'SendTaskFailure', { taskToken }))).toMatchObject({
      code: 'TaskTimedOut',
    });
    expect(await refusal(call(world, service, 'SendTaskHeartbeat', { taskToken: 'x' }))).toMatchObject({
      code: 'InvalidToken',
    });
    expect(await refusal(call(world, service, 'SendTaskSuccess', { taskToken, output: '{' }))).toMatchObject({
      code: 'InvalidOutput',
    });
  });
});

describe('what happens can be followed', () => {
  it('through the history, in pages, both ways, with and without data', async () => {
    const { api, run } = await setUp();
    const { executionArn } = await run({ a: 1 });
    const history = async (more: object) =>
      (await api('GetExecutionHistory', { executionArn, ...more })) as {
        events: { type: string; executionStartedEventDetails?: object }[];
        nextToken?: string;
      };
    const types = ['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded'];
    const all = await history({});
    expect(all.events.map(({ type }) => type)).toEqual(types);
    expect(all.nextToken).toBeUndefined();
    expect(all.events[0]!.executionStartedEventDetails).toMatchObject({ input: '{"a":1}', roleArn: ROLE });
    const first = await history({ maxResults: 3 });
    const second = await history({ maxResults: 3, nextToken: first.nextToken });
    expect([...first.events, ...second.events]).toEqual(all.events);
    expect((await history({ reverseOrder: true })).events[0]).toEqual(all.events.at(-1));
    const bare = await history({ includeExecutionData: false });
    expect(bare.events[0]!.executionStartedEventDetails).toEqual({ roleArn: ROLE });
  });

  it('through the list of executions, newest first, by status', async () => {
    const { api, run } = await setUp();
    await run({}, 'one');
    await run({}, 'two');
    const list = async (more: object) =>
      ((await api('ListExecutions', { stateMachineArn: ARN, ...more })) as { executions: { name: string }[] })
        .executions;
    expect((await list({})).map(({ name }) => name)).toEqual(['two', 'one']);
    expect(await list({ statusFilter: 'RUNNING' })).toEqual([]);
    expect(await list({ maxResults: 1 })).toHaveLength(1);
  });

  it('through EventBridge', async () => {
    const { events, run, world } = await setUp();
    const begun = world.clock.now();
    await run({ a: 1 }, 'n');
    expect(events.map(({ detail }) => detail.status)).toEqual(['RUNNING', 'SUCCEEDED']);
    expect(events[1]).toMatchObject({
      source: 'aws.states',
      detailType: 'Step Functions Execution Status Change',
      resources: ['arn:aws:states:eu-west-3:123456789012:execution:cluster:n'],
      detail: { stateMachineArn: ARN, name: 'n', input: '{"a":1}', output: '{"a":1}', startDate: begun, error: null },
    });
  });

  it('through listeners, until they are removed', async () => {
    const { service, run } = await setUp();
    const seen: string[] = [];
    const removals = [
      service.onHistory((execution, { type }) => seen.push(`${execution.name} ${type}`)),
      service.onStatus(({ status }) => seen.push(status)),
    ];
    await run({}, 'n');
    expect(seen).toEqual([
      'RUNNING',
      'n ExecutionStarted',
      'n PassStateEntered',
      'n PassStateExited',
      'n ExecutionSucceeded',
      'SUCCEEDED',
    ]);
    for (const remove of removals) remove();
    await run({}, 'm');
    expect(seen).toHaveLength(6);
    expect(service.counters).toEqual({ executions: 2, transitions: 2 });
  });

  it('through CloudWatch Logs, without data unless asked for', async () => {
    const LogGroupArn = 'arn:aws:logs:eu-west-3:123456789012:log-group:/aws/states/cluster:*';
    const Destinations = [{ CloudWatchLogsLogGroup: { LogGroupArn } }];
    const { logs, run } = await setUp(pass, {
      properties: { LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false, Destinations } },
    });
    await run({ a: 1 }, 'n');
    expect(logs).toHaveLength(4);
    expect(logs[0]).toMatchObject({ group: '/aws/states/cluster' });
    expect(JSON.parse(logs[0]!.message)).toMatchObject({ type: 'ExecutionStarted', details: { roleArn: ROLE } });
    expect(logs[0]!.message).not.toContain('input');
  });
});

it('closing stops what still runs', async () => {
  const { api, service, world } = await setUp(wait);
  await api('StartExecution', start());
  await world.clock.until(service.close());
  expect(service.listExecutions()[0]!.status).toBe('ABORTED');
});

it('SDK clients work with it', async () => {
  const { service, world } = await setUp();
  const caller = world.credentials.issue(ROLE);
  const client = new SFNClient(clientConfig(world, createEndpoint(world, [service]), caller));
  const send = sender(world.clock, caller);
  const { executionArn, startDate } = await send(() =>
    client.send(new StartExecutionCommand({ stateMachineArn: ARN })),
  );
  expect(startDate).toEqual(expect.any(Date));
  await world.clock.until(service.ended(executionArn!));
  const { events } = await send(() => client.send(new GetExecutionHistoryCommand({ executionArn })));
  expect(events?.at(-1)).toMatchObject({ type: 'ExecutionSucceeded', timestamp: expect.any(Date) });
  await expect(
    send(() => client.send(new ListExecutionsCommand({ stateMachineArn: `${ARN}x` }))),
  ).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
});
