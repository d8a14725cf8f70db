import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Iam, type Permits } from '../../../../local/aws/iam';
import { Lambda, type LambdaRuntime } from '../../../../local/aws/lambda';
import { ScaledClock } from '../../../../local/clock';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { PERMISSIVE } from '../../../support/permissive';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

const ARN = 'arn:aws:lambda:eu-west-3:123456789012:function:f';
const directory = mkdtempSync(path.join(tmpdir(), 'lambda-'));
const open: Lambda[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((lambda) => lambda.close()));
});
afterAll(() => rmSync(directory, { recursive: true }));

let packages = 0;
/** Deploys a bundle with this source. */
async function deploy(
  source: string,
  properties: object = {},
  { runtime, authority = PERMISSIVE }: { runtime?: LambdaRuntime; authority?: Permits } = {},
) {
  const world = testWorld();
  const logs: { group: string; stream: string; message: string }[] = [];
  const asset = path.join(directory, String(packages++));
  mkdirSync(asset);
  writeFileSync(path.join(asset, 'index.js'), source);
  const published: { topicArn: string; message: string }[] = [];
  const lambda = new Lambda(world, {
    asset: () => asset,
    authority,
    sns: { publishFor: (_caller, topicArn, message) => published.push({ topicArn, message }) },
    endpointUrl: () => 'http://127.0.0.1:4566',
    logs: { has: () => true, write: (group, stream, message) => logs.push({ group, stream, message }) },
    runtime,
  });
  open.push(lambda);
  await lambda.resources['AWS::Lambda::Function']!('Function', {
    FunctionName: 'f',
    Code: { S3Bucket: 'assets', S3Key: 'f.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: 'arn:aws:iam::123456789012:role/function-role',
    Timeout: 30,
    ...properties,
  });
  const begin = (event: unknown = {}, invocationType: 'RequestResponse' | 'Event' = 'RequestResponse') =>
    lambda.invoke({ functionName: ARN, payload: JSON.stringify(event), invocationType, requestId: 'r-1' });
  const invoke = async (event?: unknown) => {
    const { payload, functionError } = await world.clock.until(begin(event));
    return { functionError, result: JSON.parse(payload) };
  };
  return { world, lambda, logs, published, begin, invoke };
}
const exporting = (body: string) => `exports.handler = async (event, context) => { ${body} };`;

describe('a function', () => {
  it('gets the event and its result is the answer', async () => {
    const { invoke } = await deploy(exporting('return { doubled: event.n * 2 }'));
    expect(await invoke({ n: 4 })).toEqual({ functionError: undefined, result: { doubled: 8 } });
  });

  it('without a result answers null', async () => {
    expect((await (await deploy(exporting(''))).invoke()).result).toBeNull();
  });

  it('may answer through a callback', async () => {
    const { invoke } = await deploy(
      'exports.handler = (event, context, done) => { setImmediate(() => done(null, 7)); };',
    );
    expect((await invoke()).result).toBe(7);
  });

  it('has the environment of Lambda and nothing of the host', async () => {
    process.env.HOST_ONLY = 'secret';
    const { invoke } = await deploy(exporting('return process.env'), {
      Environment: { Variables: { CLUSTER: 'demo' } },
    });
    const { result } = await invoke();
    delete process.env.HOST_ONLY;
    expect(result).toMatchObject({
      CLUSTER: 'demo',
      AWS_REGION: 'eu-west-3',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      TZ: ':UTC',
    });
    expect(result).not.toHaveProperty('HOST_ONLY');
    expect(result).not.toHaveProperty('HOME');
  });

  it('signs as its role', async () => {
    const { invoke, world } = await deploy(exporting('return process.env.AWS_ACCESS_KEY_ID'));
    const { result } = await invoke();
    expect(world.credentials.lookup(String(result))?.principal).toBe(
      'arn:aws:sts::123456789012:assumed-role/function-role/f',
    );
  });

  it('lives in the time of the embedded AWS', async () => {
    const { invoke, world } = await deploy(
      exporting(`return [Date.now(), new Date().toISOString(), new Date(5).getTime(), new Date() instanceof Date,
        typeof Date(), new Date().constructor === Date, context.getRemainingTimeInMillis()]`),
    );
    await world.clock.advance(86_400_000);
    const { result } = await invoke();
    const now = Math.floor(world.clock.now());
    expect(result).toEqual([now, new Date(now).toISOString(), 5, true, 'string', true, 30_000]);
  });

  it('knows its context', async () => {
    const { invoke } = await deploy(exporting('return context'));
    expect((await invoke()).result).toMatchObject({
      functionName: 'f',
      functionVersion: '$LATEST',
      invokedFunctionArn: ARN,
      awsRequestId: 'r-1',
      memoryLimitInMB: '128',
      logGroupName: '/aws/lambda/f',
    });
  });

  it('writes its output to its log group, between the lines of Lambda', async () => {
    const { invoke, logs } = await deploy(exporting('console.log("one\\ntwo"); console.error("three");'));
    await invoke();
    expect(logs.map(({ message }) => message.split('\t')[0])).toEqual([
      'START RequestId: r-1 Version: $LATEST',
      'one',
      'two',
      'three',
      'END RequestId: r-1',
      'REPORT RequestId: r-1',
    ]);
    expect(logs[0]).toMatchObject({ group: '/aws/lambda/f', stream: expect.stringContaining('/[$LATEST]') });
  });
});

describe('the bill', () => {
  it('is in the last line of the log, with the cold start in the first invocation', async () => {
    const { invoke, logs } = await deploy(exporting(''));
    await invoke();
    await invoke();
    const [cold = '', warm = ''] = logs.map(({ message }) => message).filter((line) => line.startsWith('REPORT'));
    const [, duration, billed, init] =
      /Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: 128 MB\tInit Duration: ([\d.]+) ms$/.exec(cold) ??
      [];
    expect(Number(init)).toBeGreaterThan(100);
    expect(Math.abs(Number(billed) - Number(duration) - Number(init))).toBeLessThanOrEqual(1.01);
    expect(warm).toMatch(/Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB$/);
  });
});

describe('environments', () => {
  const counting = 'let n = 0; exports.handler = async () => ++n;';

  it('are reused while warm', async () => {
    const { invoke, lambda } = await deploy(counting);
    expect([(await invoke()).result, (await invoke()).result]).toEqual([1, 2]);
    expect([lambda.counters.invocations, lambda.coldStarts]).toEqual([2, 1]);
  });

  it('are separate for concurrent invocations', async () => {
    const { begin, world, lambda } = await deploy(counting);
    const answers = await world.clock.until(Promise.all([begin(), begin(), begin()]));
    expect(answers.map(({ payload }) => payload)).toEqual(['1', '1', '1']);
    expect(lambda.coldStarts).toBe(3);
  });

  it('are not used again after they crashed', async () => {
    const { invoke } = await deploy(
      'let n = 0; exports.handler = async (e) => { if (e.crash) process.exit(3); return ++n; };',
    );
    await invoke();
    expect(await invoke({ crash: true })).toEqual({
      functionError: 'Unhandled',
      result: {
        errorType: 'Runtime.ExitError',
        errorMessage: 'RequestId: r-1 Error: Runtime exited with error: exit status 3',
      },
    });
    expect((await invoke()).result).toBe(1);
  });
});

describe('a function fails', () => {
  const failure = async (source: string, properties: object = {}) => {
    const { invoke, lambda } = await deploy(source, properties);
    const { functionError, result } = await invoke();
    expect(functionError).toBe('Unhandled');
    expect(lambda.counters.errors).toBe(1);
    return result;
  };

  it.each<[string, string, object, object]>([
    [
      'with the name and message of what it throws',
      exporting('const e = new Error("held"); e.name = "LeaseLost"; throw e;'),
      {},
      {
        errorType: 'LeaseLost',
        errorMessage: 'held',
        trace: expect.arrayContaining([expect.stringContaining('held')]),
      },
    ],
    ['with what is not an error', exporting('throw "text"'), {}, { errorType: 'string', errorMessage: 'text' }],
    [
      'when its bundle throws',
      'throw new TypeError("broken bundle")',
      {},
      { errorType: 'TypeError', errorMessage: 'broken bundle' },
    ],
    ['when its bundle is not JavaScript', 'const const', {}, { errorType: 'Runtime.UserCodeSyntaxError' }],
    [
      'when a module is missing',
      'require("nowhere")',
      {},
      {
        errorType: 'Runtime.ImportModuleError',
        errorMessage: expect.stringContaining("Error: Cannot find module 'nowhere'"),
      },
    ],
    ['when its file is missing', '', { Handler: 'other.handler' }, { errorType: 'Runtime.ImportModuleError' }],
    [
      'when its handler is missing',
      '',
      {},
      { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' },
    ],
    [
      'when a promise is left rejected',
      exporting('Promise.reject(new Error("lost")); await new Promise(() => {});'),
      {},
      { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'Error: lost' },
    ],
    [
      'when its result cannot be written',
      exporting('return 1n'),
      {},
      { errorType: 'Runtime.MarshalError', errorMessage: 'Unable to stringify response body' },
    ],
  ])('%s', async (_, source, properties, expected) => {
    expect(await failure(source, properties)).toMatchObject(expected);
  });
});

describe('an invocation times out', () => {
  const message = 'RequestId: r-1 Error: Task timed out after 1.00 seconds';

  it('when it computes for ever, even in virtual time', async () => {
    const { invoke } = await deploy('exports.handler = async (e) => { while (e.loop) {} return 1; };', { Timeout: 1 });
    expect((await invoke({ loop: true })).result).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: message });
    expect((await invoke()).result).toBe(1);
  });

  it('after its limit of AWS time', async () => {
    const runtime: LambdaRuntime = {
      start: () => ({ invoke: () => new Promise(() => {}), terminate: async () => {} }),
    };
    const { begin, world, lambda } = await deploy('', { Timeout: 1 }, { runtime });
    // The function waits for something that takes AWS time: its hold is idle.
    const hold = jest.spyOn(world.clock, 'hold').mockReturnValue({ waiting: (promise) => promise, release: () => {} });
    const start = world.clock.now();
    const { payload } = await world.clock.until(begin());
    hold.mockRestore();
    expect(JSON.parse(payload)).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: message });
    expect(world.clock.now() - start).toBeGreaterThanOrEqual(1000);
    expect(lambda.counters.errors).toBe(1);
  });

  it('not because an accelerated clock made the machine look slow', async () => {
    const { world, begin } = await deploy(
      exporting('await new Promise((done) => setTimeout(done, 100)); return Date.now()'),
      { Timeout: 3 },
    );
    const clock = new ScaledClock(200);
    Object.assign(world, { clock });
    const { payload } = await begin();
    expect(Math.abs(Number(payload) - clock.now())).toBeLessThan(200_000);
    clock.close();
  });
});

describe('time', () => {
  it('stands still while a function computes', async () => {
    const { world, begin } = await deploy(
      exporting(
        'const start = Date.now(); await new Promise((done) => setTimeout(done, 50)); return Date.now() - start',
      ),
    );
    const timer = world.clock.every(1, () => {});
    expect((await world.clock.until(begin())).payload).toBe('0');
    timer.cancel();
  });

  it('is held by the caller of the environment for as long as the invocation lasts', async () => {
    const held: boolean[] = [];
    const runtime: LambdaRuntime = {
      start: ({ variables }) => ({
        invoke: async () => {
          held.push(world.credentials.lookup(variables.AWS_ACCESS_KEY_ID!)?.hold !== undefined);
          return { ok: true, payload: JSON.stringify(variables.AWS_ACCESS_KEY_ID) };
        },
        terminate: async () => {},
      }),
    };
    const { world, begin } = await deploy('', {}, { runtime });
    const { payload } = await world.clock.until(begin());
    expect(held).toEqual([true]);
    expect(world.credentials.lookup(JSON.parse(payload))).not.toHaveProperty('hold', expect.anything());
  });
});

it('starts no environment once it has closed', async () => {
  const start = jest.fn();
  const { begin, lambda, world } = await deploy(exporting('return 1'), {}, { runtime: { start } });
  begin().catch(() => {});
  await lambda.close();
  await world.clock.advance(10_000);
  expect(start).not.toHaveBeenCalled();
});

describe('an asynchronous invocation', () => {
  it('is answered at once and run later', async () => {
    const { begin, lambda, world } = await deploy(exporting('return 1'));
    expect(await world.clock.until(begin({}, 'Event'))).toEqual({ statusCode: 202, payload: '' });
    await world.clock.advance(5000);
    expect(lambda.counters).toEqual({ invocations: 1, errors: 0 });
  });

  it('is retried twice, after one and two minutes', async () => {
    const { begin, lambda, world, logs } = await deploy(exporting('console.log(Date.now()); throw new Error("x")'));
    await world.clock.until(begin({}, 'Event'));
    await world.clock.advance(3600_000);
    expect(lambda.counters.errors).toBe(3);
    const times = logs.map(({ message }) => Number(message)).filter((time) => !Number.isNaN(time));
    expect(Math.round((times[1]! - times[0]!) / 60_000)).toBe(1);
    expect(Math.round((times[2]! - times[1]!) / 60_000)).toBe(2);
    expect(world.lines).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('failed for good') }),
    );
  });

  it('is retried as often as its configuration says', async () => {
    const { begin, lambda, world } = await deploy(exporting('throw new Error("x")'));
    await lambda.resources['AWS::Lambda::EventInvokeConfig']!('Config', {
      FunctionName: 'f',
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
    });
    await world.clock.until(begin({}, 'Event'));
    await world.clock.advance(3600_000);
    expect(lambda.counters.invocations).toBe(1);
  });

  it('is told of at its destination when it is given up', async () => {
    const { begin, lambda, world, published } = await deploy(exporting('throw new Error("x")'));
    const topic = 'arn:aws:sns:eu-west-3:123456789012:alerts';
    await lambda.resources['AWS::Lambda::EventInvokeConfig']!('Config', {
      FunctionName: 'f',
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: topic } },
    });
    await world.clock.until(begin({ a: 1 }, 'Event'));
    await world.clock.advance(30_000);
    expect(published).toEqual([]);
    await world.clock.advance(3600_000);
    const [record, ...others] = published;
    expect(others).toEqual([]);
    expect(record?.topicArn).toBe(topic);
    expect(JSON.parse(record?.message ?? '')).toMatchObject({
      version: '1.0',
      requestContext: {
        requestId: 'r-1',
        functionArn: `${ARN}:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: 2,
      },
      requestPayload: { a: 1 },
      responseContext: { statusCode: 200, functionError: 'Unhandled' },
      responsePayload: { errorType: 'Error', errorMessage: 'x' },
    });
  });

  it('tells who listens of every invocation and failure', async () => {
    const { lambda, invoke } = await deploy(exporting('if (event.fail) throw new Error("x")'));
    const seen: string[] = [];
    const forget = lambda.onInvocation((name, what) => seen.push(`${name} ${what}`));
    await invoke();
    await invoke({ fail: true });
    forget();
    await invoke();
    expect(seen).toEqual(['f invoked', 'f invoked', 'f failed']);
  });
});

describe('the API', () => {
  it('serves SDK clients', async () => {
    const { lambda, world } = await deploy(
      exporting('console.log("hello"); if (event.fail) throw new Error("no"); return event'),
    );
    const caller = world.credentials.issue('arn:aws:iam::123456789012:root');
    const client = new LambdaClient(clientConfig(world, createEndpoint(world, [lambda]), caller));
    const send = sender(world.clock, caller);
    const payload = (object: object) => Buffer.from(JSON.stringify(object));
    const good = await send(() =>
      client.send(new InvokeCommand({ FunctionName: 'f', Payload: payload({ a: 1 }), LogType: 'Tail' })),
    );
    expect(good).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(JSON.parse(good.Payload!.transformToString())).toEqual({ a: 1 });
    expect(Buffer.from(good.LogResult!, 'base64').toString()).toContain('\nhello\n');
    const bad = await send(() =>
      client.send(new InvokeCommand({ FunctionName: 'f', Payload: payload({ fail: true }) })),
    );
    expect(bad).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    await expect(send(() => client.send(new InvokeCommand({ FunctionName: 'g' })))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:eu-west-3:123456789012:function:g',
    });
  });

  it('describes a function', async () => {
    const { lambda, world } = await deploy(exporting(''));
    expect(await call(world, lambda, 'GetFunction', { FunctionName: ARN })).toMatchObject({
      Configuration: { FunctionName: 'f', FunctionArn: ARN, Handler: 'index.handler', Timeout: 30, State: 'Active' },
    });
  });

  it('refuses an event that is not JSON', async () => {
    const { lambda } = await deploy(exporting(''));
    const request = { functionName: 'f', payload: '{', invocationType: 'RequestResponse', requestId: 'r' } as const;
    expect(await refusal(lambda.invoke(request))).toMatchObject({ code: 'InvalidRequestContentException' });
  });
});

describe('faults of calls by other services', () => {
  it('throttle and fail before the function runs, and lose the answer after it', async () => {
    const { world, begin, lambda } = await deploy(exporting('return 1'));
    world.faults.onCall('lambda', 'Invoke', { kind: 'throttle' }, { times: 1 });
    expect(await refusal(begin())).toMatchObject({ code: 'TooManyRequestsException' });
    expect(lambda.counters.invocations).toBe(0);
    world.faults.onCall('lambda', 'Invoke', { kind: 'lost-reply' }, { times: 1 });
    expect(await refusal(world.clock.until(begin()))).toMatchObject({ code: 'SdkClientException' });
    expect(lambda.counters.invocations).toBe(1);
  });
});

describe('a permission', () => {
  it('admits a service for the resources it names', async () => {
    const { authority } = new Iam(testWorld());
    const serviceRefusal: Permits['serviceRefusal'] = (...asked) => authority.serviceRefusal(...asked);
    const { lambda } = await deploy(exporting(''), {}, { authority: { ...PERMISSIVE, serviceRefusal } });
    const rule = 'arn:aws:events:eu-west-3:123456789012:rule/demo-nodes';
    const refused = (sourceArn: string, name = 'events.amazonaws.com') =>
      lambda.invokeRefusal('f', { name, sourceArn });
    expect(refused(rule)).toMatch('because no resource-based policy allows the lambda:InvokeFunction action');
    await lambda.resources['AWS::Lambda::Permission']!('Permission', {
      Action: 'lambda:InvokeFunction',
      FunctionName: ARN,
      Principal: 'events.amazonaws.com',
      SourceArn: 'arn:aws:events:eu-west-3:123456789012:rule/demo-*',
    });
    expect(refused(rule)).toBeUndefined();
    expect(refused(rule, 'sns.amazonaws.com')).toMatch('is not authorized');
    expect(refused(rule.replace('demo', 'other'))).toMatch('is not authorized');
  });
});

it('a property that is not modelled is refused by name', async () => {
  await expect(deploy(exporting(''), { Layers: [] })).rejects.toThrow('does not model Layers');
});
