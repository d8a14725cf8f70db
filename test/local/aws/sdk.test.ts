import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  InvalidInstanceId,
  InvocationDoesNotExist,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DynamoDb } from '../../../local/aws/dynamodb';
import { S3 } from '../../../local/aws/s3';
import { SecretsManager } from '../../../local/aws/secretsmanager';
import type { Service } from '../../../local/aws/service';
import { Ssm } from '../../../local/aws/ssm';
import { Sts } from '../../../local/aws/sts';
import { createEndpoint } from '../../../local/wire/endpoint';
import { PERMISSIVE } from '../../support/permissive';
import { clientConfig, sender } from '../../support/sdk';
import { type TestWorld, testWorld } from '../../support/world';
import { done, FakeInstances } from './ssm/instances';

/** Everything an SDK client needs to talk to one service in virtual time. */
function connect(world: TestWorld, service: Service) {
  const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/Tester/session');
  return {
    config: clientConfig(world, createEndpoint(world, [service]), caller),
    send: sender(world.clock, caller),
  };
}

describe('the real SDK client', () => {
  it('of DynamoDB reads items and recognises failed conditions', async () => {
    const world = testWorld();
    const service = new DynamoDb(world);
    await service.resources['AWS::DynamoDB::Table']!('Table', {
      TableName: 'cluster',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    const { config, send } = connect(world, service);
    const client = new DynamoDBClient(config);
    const Item = { id: { S: 'lease' }, raw: { B: Buffer.from([1, 2]) }, commands: { M: {} } };
    const put = {
      TableName: 'cluster',
      Item,
      ConditionExpression: 'attribute_not_exists(id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    };
    await send(() => client.send(new PutItemCommand(put)));
    const read = await send(() =>
      client.send(new GetItemCommand({ TableName: 'cluster', Key: { id: { S: 'lease' } }, ConsistentRead: true })),
    );
    expect(read.Item).toMatchObject({ id: { S: 'lease' }, raw: { B: new Uint8Array([1, 2]) } });
    const failure = await send(() => client.send(new PutItemCommand(put)).catch((error: unknown) => error));
    expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
    expect(failure).toMatchObject({ Item: { id: { S: 'lease' } } });
    const cancelled = await send(() =>
      client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: put }] })).catch((error: unknown) => error),
    );
    expect(cancelled).toBeInstanceOf(TransactionCanceledException);
    expect(cancelled).toMatchObject({
      CancellationReasons: [{ Code: 'ConditionalCheckFailed', Item: { id: { S: 'lease' } } }],
    });
  });

  it('of SSM sends a command and reads its result', async () => {
    const world = testWorld();
    const instances = new FakeInstances();
    const service = new Ssm(world, { instances, authority: PERMISSIVE });
    await service.resources['AWS::SSM::Document']!('Report', {
      Name: 'k3s-demo-ReportStatus',
      DocumentType: 'Command',
      Content: {
        schemaVersion: '2.2',
        mainSteps: [{ action: 'aws:runShellScript', name: 'ReportStatus', inputs: { runCommand: ['report'] } }],
      },
    });
    const { config, send } = connect(world, service);
    const client = new SSMClient(config);
    const command = new SendCommandCommand({ DocumentName: 'k3s-demo-ReportStatus', InstanceIds: ['i-00000001'] });
    expect(await send(() => client.send(command).catch((error: unknown) => error))).toBeInstanceOf(InvalidInstanceId);
    instances.launch('i-00000001').behaviour = async () => done({ stdout: '{}\n' });
    await world.clock.advance(120_000);
    const known = await send(() => client.send(new DescribeInstanceInformationCommand({})));
    expect(known.InstanceInformationList).toMatchObject([{ PingStatus: 'Online', LastPingDateTime: expect.any(Date) }]);
    const sent = await send(() => client.send(command));
    expect(sent.Command).toMatchObject({ Status: 'Pending', RequestedDateTime: expect.any(Date) });
    const ask = new GetCommandInvocationCommand({ CommandId: sent.Command!.CommandId, InstanceId: 'i-00000001' });
    const early = await send(() => client.send(ask).catch((error: unknown) => error));
    expect(early).toBeInstanceOf(InvocationDoesNotExist);
    await world.clock.advance(60_000);
    expect(await send(() => client.send(ask))).toMatchObject({ Status: 'Success', StandardOutputContent: '{}\n' });
  });

  it('of Secrets Manager reads a generated secret', async () => {
    const world = testWorld();
    const service = new SecretsManager(world);
    const { ref } = await service.resources['AWS::SecretsManager::Secret']!('Token', {
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
    const { config, send } = connect(world, service);
    const client = new SecretsManagerClient(config);
    const secret = await send(() => client.send(new GetSecretValueCommand({ SecretId: ref })));
    expect(secret).toMatchObject({ ARN: ref, SecretString: expect.stringMatching(/^[A-Za-z0-9]{64}$/) });
    const missing = await send(() =>
      client.send(new GetSecretValueCommand({ SecretId: 'other' })).catch((error: unknown) => error),
    );
    expect(missing).toBeInstanceOf(ResourceNotFoundException);
  });

  it('of STS learns who it is', async () => {
    const world = testWorld();
    const { config, send } = connect(world, new Sts(world));
    expect(await send(() => new STSClient(config).send(new GetCallerIdentityCommand({})))).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:sts::123456789012:assumed-role/Tester/session',
      UserId: expect.stringMatching(/^AROA.+:session$/),
    });
  });

  describe('of S3', () => {
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'assets-'));
      writeFileSync(join(directory, 'manifests.json'), '{"kind":"List"}');
    });
    afterAll(() => rm(directory, { recursive: true }));

    it('finds the assets of the assembly and keeps what it puts', async () => {
      const world = testWorld();
      const path = join(directory, 'manifests.json');
      const Bucket = 'cdk-hnb659fds-assets-123456789012-eu-west-3';
      const service = new S3(world, { assets: [{ bucket: Bucket, key: 'abc.json', path, packaging: 'file' }] });
      const { config, send } = connect(world, service);
      const client = new S3Client({ ...config, forcePathStyle: true });
      const asset = await send(() => client.send(new GetObjectCommand({ Bucket, Key: 'abc.json' })));
      expect(await asset.Body!.transformToString()).toBe(readFileSync(path, 'utf8'));
      await send(() =>
        client.send(new PutObjectCommand({ Bucket, Key: 'a/ü b', Body: 'text', Metadata: { owner: 'test' } })),
      );
      const head = await send(() => client.send(new HeadObjectCommand({ Bucket, Key: 'a/ü b' })));
      expect(head).toMatchObject({ ContentLength: 4, Metadata: { owner: 'test' } });
      const part = await send(() => client.send(new GetObjectCommand({ Bucket, Key: 'a/ü b', Range: 'bytes=1-2' })));
      expect(await part.Body!.transformToString()).toBe('ex');
      const listed = await send(() => client.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/' })));
      expect(listed.Contents).toMatchObject([{ Key: 'a/ü b', Size: 4, LastModified: expect.any(Date) }]);
      const get = (Key: string) =>
        send(() => client.send(new GetObjectCommand({ Bucket, Key })).catch((error: unknown) => error));
      expect(await get('nothing')).toBeInstanceOf(NoSuchKey);
      const absent = new HeadObjectCommand({ Bucket, Key: 'nothing' });
      expect(await send(() => client.send(absent).catch((error: unknown) => error))).toBeInstanceOf(NotFound);
    });
  });
});
