import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { DescribeInstancesCommand, EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetTopicAttributesCommand, PublishCommand, SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import {
  AwsError,
  type Operation,
  operation,
  type Protocol,
  type Service,
  type World,
} from '../../../local/aws/service';
import { ScaledClock } from '../../../local/clock';
import { type AuthorizedCall, createEndpoint, type EndpointOptions } from '../../../local/wire/endpoint';
import type { WireRequest } from '../../../local/wire/http';
import { clientConfig, sender } from '../../support/sdk';
import { testWorld } from '../../support/world';

const service = (
  name: string,
  protocol: Protocol,
  version: string,
  operations: Record<string, Operation>,
): Service => ({
  name,
  protocol,
  version,
  operations,
  resources: {},
});

/** An operation that answers `output` and remembers its input. */
function echo(input: z.ZodType, output: unknown) {
  const seen: unknown[] = [];
  const echoed = operation<unknown, unknown>({
    input,
    handle: (value) => {
      seen.push(value);
      if (output instanceof Error) throw output;
      return output;
    },
  });
  return { seen, echoed };
}

function setup(services: Service[], options: EndpointOptions = {}) {
  const world = testWorld();
  const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/Tester/test');
  const endpoint = createEndpoint(world, services, options);
  return { world, caller, endpoint, config: clientConfig(world, endpoint, caller), send: sender(world.clock, caller) };
}

const ANY = z.looseObject({});

describe('the EC2 protocol', () => {
  const INPUT = z.strictObject({
    InstanceId: z.array(z.string()).optional(),
    Filter: z.array(z.strictObject({ Name: z.string(), Value: z.array(z.string()) })).optional(),
  });
  const at = new Date(Date.UTC(2026, 0, 1));
  const { seen, echoed } = echo(INPUT, {
    reservationSet: [{ instancesSet: [{ instanceId: 'i-1', launchTime: at, tagSet: [{ key: 'a<b', value: '"&"' }] }] }],
    nextToken: undefined,
  });
  const ec2 = service('ec2', 'ec2', '2016-11-15', { DescribeInstances: echoed });

  it('carries nested lists in and out', async () => {
    const { config, send } = setup([ec2]);
    const client = new EC2Client(config);
    const answer = await send(() =>
      client.send(
        new DescribeInstancesCommand({ InstanceIds: ['i-1', 'i-2'], Filters: [{ Name: 'tag:x', Values: ['1', '2'] }] }),
      ),
    );
    expect(seen).toEqual([{ InstanceId: ['i-1', 'i-2'], Filter: [{ Name: 'tag:x', Value: ['1', '2'] }] }]);
    const instance = answer.Reservations?.[0]?.Instances?.[0];
    expect(instance).toMatchObject({ InstanceId: 'i-1', LaunchTime: at, Tags: [{ Key: 'a<b', Value: '"&"' }] });
  });

  it('refuses an unknown operation and an unknown parameter by name', async () => {
    const { config, send } = setup([ec2]);
    const client = new EC2Client(config);
    await expect(
      send(() => client.send(new TerminateInstancesCommand({ InstanceIds: ['i-1'] }))),
    ).rejects.toMatchObject({
      name: 'InvalidAction',
      message: expect.stringContaining('TerminateInstances'),
    });
    await expect(send(() => client.send(new DescribeInstancesCommand({ MaxResults: 5 })))).rejects.toMatchObject({
      name: 'UnknownParameter',
      message: expect.stringContaining('MaxResults'),
    });
  });

  it('throttles as EC2 does', async () => {
    const { world, config, send } = setup([ec2]);
    world.faults.onCall('ec2', '*', { kind: 'throttle' }, { times: 1 });
    const client = new EC2Client(config);
    await expect(send(() => client.send(new DescribeInstancesCommand({})))).rejects.toMatchObject({
      name: 'RequestLimitExceeded',
      $metadata: { httpStatusCode: 503 },
    });
    await expect(send(() => client.send(new DescribeInstancesCommand({})))).resolves.toBeDefined();
  });
});

describe('the query protocol', () => {
  it('carries maps in and out and wraps the result', async () => {
    const set = echo(ANY, undefined);
    const get = echo(ANY, { Attributes: new Map([['DisplayName', 'k3s']]) });
    const publish = echo(ANY, { MessageId: 'm-1' });
    const { config, send } = setup([
      service('sns', 'query', '2010-03-31', {
        SetTopicAttributes: set.echoed,
        GetTopicAttributes: get.echoed,
        Publish: publish.echoed,
      }),
    ]);
    const client = new SNSClient(config);
    await send(() =>
      client.send(new SetTopicAttributesCommand({ TopicArn: 't', AttributeName: 'DisplayName', AttributeValue: 'x' })),
    );
    expect(set.seen).toEqual([{ TopicArn: 't', AttributeName: 'DisplayName', AttributeValue: 'x' }]);
    const attributes = await send(() => client.send(new GetTopicAttributesCommand({ TopicArn: 't' })));
    expect(attributes.Attributes).toEqual({ DisplayName: 'k3s' });
    await send(() =>
      client.send(
        new PublishCommand({ Message: 'hi', MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } } }),
      ),
    );
    expect(publish.seen).toEqual([
      { Message: 'hi', MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } } },
    ]);
  });
});

describe('the JSON protocols', () => {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, 0, 500));
  const { seen, echoed } = echo(z.strictObject({ MaxResults: z.int().optional() }), {
    InstanceInformationList: [{ InstanceId: 'i-1', LastPingDateTime: at }],
  });
  const ssm = service('ssm', 'json-1.1', 'AmazonSSM', { DescribeInstanceInformation: echoed });

  it('carries timestamps as epoch seconds', async () => {
    const { config, send } = setup([ssm]);
    const answer = await send(() =>
      new SSMClient(config).send(new DescribeInstanceInformationCommand({ MaxResults: 5 })),
    );
    expect(seen).toEqual([{ MaxResults: 5 }]);
    expect(answer.InstanceInformationList?.[0]?.LastPingDateTime).toEqual(at);
  });

  it('returns modelled exceptions with their members', async () => {
    const reasons = [{ Code: 'ConditionalCheckFailed' }];
    const { echoed: failing } = echo(
      ANY,
      new AwsError('TransactionCanceledException', 'cancelled', 400, { CancellationReasons: reasons }),
    );
    const { config, send } = setup([
      service('dynamodb', 'json-1.0', 'DynamoDB_20120810', { TransactWriteItems: failing }),
    ]);
    const client = new DynamoDBClient(config);
    await expect(send(() => client.send(new TransactWriteItemsCommand({ TransactItems: [] })))).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message: 'cancelled',
      CancellationReasons: reasons,
    });
    await expect(
      send(() => client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: 'x' } } }))),
    ).rejects.toMatchObject({ name: 'UnknownOperationException', message: expect.stringContaining('GetItem') });
  });

  it('reads compressed requests', async () => {
    const { seen: metrics, echoed: put } = echo(ANY, undefined);
    const { config, send } = setup([
      service('monitoring', 'json-1.0', 'GraniteServiceVersion20100801', { PutMetricData: put }),
    ]);
    const data = Array.from({ length: 300 }, (_, Value) => ({ MetricName: 'Replacements', Value }));
    await send(() =>
      new CloudWatchClient(config).send(new PutMetricDataCommand({ Namespace: 'k3s', MetricData: data })),
    );
    expect(metrics).toEqual([{ Namespace: 'k3s', MetricData: data }]);
  });
});

describe('the REST protocols', () => {
  it('invokes a Lambda function', async () => {
    const { seen, echoed } = echo(ANY, {
      StatusCode: 200,
      FunctionError: 'Unhandled',
      Payload: '{"errorType":"LeaseLost"}',
      ExecutedVersion: '$LATEST',
    });
    const { config, send } = setup([service('lambda', 'rest-json', '2015-03-31', { Invoke: echoed })]);
    const answer = await send(() =>
      new LambdaClient(config).send(
        new InvokeCommand({ FunctionName: 'arn:aws:lambda:eu-west-3:1:function:f', Payload: '{"a":1}' }),
      ),
    );
    expect(seen).toEqual([{ FunctionName: 'arn:aws:lambda:eu-west-3:1:function:f', Payload: '{"a":1}' }]);
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: '$LATEST' });
    expect(answer.Payload?.transformToString()).toBe('{"errorType":"LeaseLost"}');
  });

  it('puts, gets, heads and lists objects', async () => {
    const at = new Date(Date.UTC(2026, 0, 1));
    const put = echo(ANY, { ETag: '"e"' });
    const get = echo(ANY, {
      Body: Buffer.from('kind: List'),
      ContentType: 'text/yaml',
      ContentLength: 10,
      LastModified: at,
    });
    const head = echo(ANY, new AwsError('NotFound', 'no such key', 404));
    const list = echo(ANY, {
      Name: 'b',
      KeyCount: 2,
      IsTruncated: false,
      Contents: [
        { Key: 'a', Size: 1, LastModified: at },
        { Key: 'b', Size: 2, LastModified: at },
      ],
    });
    const { config, send } = setup([
      service('s3', 'rest-xml', '2006-03-01', {
        PutObject: put.echoed,
        GetObject: get.echoed,
        HeadObject: head.echoed,
        ListObjectsV2: list.echoed,
      }),
    ]);
    const client = new S3Client(config);
    const Key = 'manifests/demo & more.yaml';
    await send(() =>
      client.send(new PutObjectCommand({ Bucket: 'b', Key, Body: 'kind: List', ContentType: 'text/yaml' })),
    );
    expect(put.seen).toEqual([{ Bucket: 'b', Key, Body: Buffer.from('kind: List'), ContentType: 'text/yaml' }]);
    const object = await send(async () => {
      const answer = await client.send(new GetObjectCommand({ Bucket: 'b', Key }));
      return { type: answer.ContentType, modified: answer.LastModified, text: await answer.Body?.transformToString() };
    });
    expect(object).toEqual({ type: 'text/yaml', modified: at, text: 'kind: List' });
    await expect(send(() => client.send(new HeadObjectCommand({ Bucket: 'b', Key })))).rejects.toMatchObject({
      name: 'NotFound',
    });
    const listed = await send(() => client.send(new ListObjectsV2Command({ Bucket: 'b', Prefix: 'x' })));
    expect(list.seen).toEqual([{ Bucket: 'b', Prefix: 'x' }]);
    expect(listed.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });
});

describe('callers', () => {
  const whoAmI = (): { ec2: Service; principals: string[] } => {
    const principals: string[] = [];
    const describe = operation({
      input: ANY,
      handle: (_input, { caller }) => {
        principals.push(caller.principal);
        return {};
      },
    });
    return { ec2: service('ec2', 'ec2', '2016-11-15', { DescribeInstances: describe }), principals };
  };
  const call = (config: ReturnType<typeof clientConfig>) =>
    new EC2Client(config).send(new DescribeInstancesCommand({}));

  it('are who their access key was issued to', async () => {
    const { ec2, principals } = whoAmI();
    const { config, send } = setup([ec2]);
    await send(() => call(config));
    expect(principals).toEqual(['arn:aws:sts::123456789012:assumed-role/Tester/test']);
  });

  it('are the root user with a made-up key, in any region', async () => {
    const { ec2, principals } = whoAmI();
    const world: World = { ...testWorld(), clock: new ScaledClock(1000) };
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test', sessionToken: '' };
    const config = clientConfig(world, createEndpoint(world, [ec2]));
    await call({ ...config, credentials, region: 'us-east-1' });
    expect(principals).toEqual(['arn:aws:iam::123456789012:root']);
  });

  it('are refused with a temporary key that nobody issued, a wrong session token and a foreign region', async () => {
    const { ec2, principals } = whoAmI();
    const { config, caller } = setup([ec2]);
    const forged = { accessKeyId: 'ASIAFORGED', secretAccessKey: 'x', sessionToken: 'x' };
    const refused = { name: 'AuthFailure', $metadata: { httpStatusCode: 401 } };
    await expect(call({ ...config, credentials: forged })).rejects.toMatchObject(refused);
    await expect(call({ ...config, credentials: { ...caller, sessionToken: 'x' } })).rejects.toMatchObject(refused);
    await expect(call({ ...config, region: 'us-east-1' })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('us-east-1'),
    });
    expect(principals).toEqual([]);
  });

  it('must sign', async () => {
    const { endpoint } = setup([]);
    const request: WireRequest = {
      method: 'POST',
      path: '/',
      query: new URLSearchParams(),
      headers: { 'x-amz-target': 'AmazonSSM.SendCommand' },
      body: Buffer.alloc(0),
    };
    const { status, body } = await endpoint(request);
    expect(status).toBe(403);
    expect(JSON.parse(body.toString())).toMatchObject({ __type: 'MissingAuthenticationToken' });
  });

  it('are told which service the embedded AWS lacks', async () => {
    const { config, send } = setup([]);
    await expect(
      send(() => new SSMClient(config).send(new DescribeInstanceInformationCommand({}))),
    ).rejects.toMatchObject({
      name: 'UnknownEndpoint',
      message: expect.stringContaining('ssm'),
    });
  });
});

describe('a call', () => {
  it('takes its time on the clock of AWS', async () => {
    const { echoed } = echo(ANY, {});
    const { world, config, send } = setup([service('ec2', 'ec2', '2016-11-15', { DescribeInstances: echoed })]);
    const before = world.clock.now();
    await send(() => new EC2Client(config).send(new DescribeInstancesCommand({})));
    expect(world.clock.now() - before).toBeGreaterThan(5);
    expect(world.clock.now() - before).toBeLessThan(1000);
  });

  it('takes effect although its reply is lost', async () => {
    const { echoed, seen } = echo(ANY, {});
    const { world, config, send } = setup([service('ec2', 'ec2', '2016-11-15', { DescribeInstances: echoed })]);
    world.faults.onCall('ec2', 'DescribeInstances', { kind: 'lost-reply' });
    await expect(send(() => new EC2Client(config).send(new DescribeInstancesCommand({})))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(seen).toHaveLength(1);
  });

  it('is refused by the authorisation hook before it takes effect, and observed', async () => {
    const { echoed, seen } = echo(ANY, {});
    const observed: (AuthorizedCall & { error?: string })[] = [];
    const { config, send } = setup([service('ec2', 'ec2', '2016-11-15', { DescribeInstances: echoed })], {
      refusal: (principal, needs) => `${principal} may not ${needs.map(({ action }) => action)}`,
      observe: (call) => observed.push(call),
    });
    await expect(send(() => new EC2Client(config).send(new DescribeInstancesCommand({})))).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
      message:
        'You are not authorized to perform this operation. arn:aws:sts::123456789012:assumed-role/Tester/test may not ec2:DescribeInstances',
    });
    expect(seen).toEqual([]);
    expect(observed).toMatchObject([{ operation: 'DescribeInstances', error: 'UnauthorizedOperation' }]);
  });

  it('reports a defect of a handler as an internal failure and logs it', async () => {
    const { echoed } = echo(ANY, new TypeError('defect'));
    const { world, config, send } = setup([service('ec2', 'ec2', '2016-11-15', { DescribeInstances: echoed })]);
    await expect(send(() => new EC2Client(config).send(new DescribeInstancesCommand({})))).rejects.toMatchObject({
      name: 'InternalError',
      $metadata: { httpStatusCode: 500 },
    });
    expect(world.lines).toHaveLength(1);
  });
});
