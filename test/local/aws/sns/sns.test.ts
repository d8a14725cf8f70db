import { ListSubscriptionsByTopicCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { Iam } from '../../../../local/aws/iam';
import { Sns } from '../../../../local/aws/sns';
import { createEndpoint } from '../../../../local/wire/endpoint';
import { call, refusal } from '../../../support/call';
import { clientConfig, sender } from '../../../support/sdk';
import { testWorld } from '../../../support/world';

const ARN = 'arn:aws:sns:eu-west-3:123456789012:alerts';

async function setUp(properties: object = {}) {
  const world = testWorld();
  const sns = new Sns(world, new Iam(world).authority);
  const provision = (type: string, given: object) => sns.resources[`AWS::SNS::${type}`]!('Logical', { ...given });
  const topic = await provision('Topic', { TopicName: 'alerts', ...properties });
  const publish = (fields: object) => call(world, sns, 'Publish', { TopicArn: ARN, Message: 'm', ...fields });
  return { world, sns, provision, topic, publish };
}

describe('a topic', () => {
  it('keeps what is published in an inbox', async () => {
    const { sns, publish, topic, world } = await setUp();
    expect(topic).toEqual({ ref: ARN, attributes: { TopicArn: ARN, TopicName: 'alerts' } });
    const heard: string[] = [];
    sns.onMail(({ message }) => heard.push(message));
    await publish({ Subject: '[demo] server-1 replaced in 89 s', Message: 'nothing to do' });
    await publish({ Message: 'plain' });
    expect(sns.inbox).toEqual([
      { topic: ARN, subject: '[demo] server-1 replaced in 89 s', message: 'nothing to do', at: world.clock.now() },
      { topic: ARN, subject: undefined, message: 'plain', at: world.clock.now() },
    ]);
    expect(heard).toEqual(['nothing to do', 'plain']);
  });

  it.each([
    ['longer than 100 characters', 'x'.repeat(101)],
    ['with a line break', 'a\nb'],
    ['with a control character', 'a\tb'],
    ['outside ASCII', 'server ✔'],
    ['that begins with a space', ' a'],
    ['that is empty', ''],
  ])('refuses a subject %s', async (_, Subject) => {
    const { publish, sns } = await setUp();
    expect(await refusal(publish({ Subject }))).toMatchObject({
      code: 'InvalidParameter',
      message: 'Invalid parameter: Subject',
    });
    expect(sns.inbox).toEqual([]);
  });

  it('accepts a subject of 100 characters', async () => {
    const { publish, sns } = await setUp();
    await publish({ Subject: 'x'.repeat(100) });
    expect(sns.inbox).toHaveLength(1);
  });

  it('refuses an empty message and one above 262,144 bytes', async () => {
    const { publish } = await setUp();
    expect((await refusal(publish({ Message: '' }))).message).toBe('Invalid parameter: Empty message');
    expect((await refusal(publish({ Message: 'x'.repeat(262_145) }))).message).toBe(
      'Invalid parameter: Message too long',
    );
  });

  it('must exist', async () => {
    const { publish } = await setUp();
    expect(await refusal(publish({ TopicArn: `${ARN}x` }))).toMatchObject({
      code: 'NotFound',
      message: 'Topic does not exist',
    });
  });

  it('refuses properties that are not modelled', async () => {
    await expect(setUp({ FifoTopic: true })).rejects.toThrow('does not model FifoTopic');
  });
});

describe('an AWS service', () => {
  const statement = (fields: object = {}) => ({
    Topics: [ARN],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: ARN,
          ...fields,
        },
      ],
    },
  });

  it('may publish only when a policy admits it', async () => {
    const { sns, provision } = await setUp();
    const publish = async (principal: string) => sns.publishAs({ name: principal }, ARN, 'm');
    expect(await refusal(publish('events.amazonaws.com'))).toMatchObject({ code: 'AuthorizationError' });
    await provision('TopicPolicy', statement());
    await publish('events.amazonaws.com');
    expect(sns.inbox).toHaveLength(1);
    expect(await refusal(publish('cloudwatch.amazonaws.com'))).toMatchObject({ code: 'AuthorizationError' });
  });

  it('is not stopped by the usual denial of plain HTTP, but by one without a condition', async () => {
    const { sns, provision } = await setUp();
    await provision('TopicPolicy', statement());
    await provision(
      'TopicPolicy',
      statement({ Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
    sns.publishAs({ name: 'events.amazonaws.com' }, ARN, 'm');
    const denied = await setUp();
    await denied.provision('TopicPolicy', {
      ...statement(),
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          ...statement().PolicyDocument.Statement,
          { ...statement().PolicyDocument.Statement[0], Effect: 'Deny', Principal: '*' },
        ],
      },
    });
    expect(() => denied.sns.publishAs({ name: 'events.amazonaws.com' }, ARN, 'm')).toThrow('not authorized');
  });

  it('cannot publish to a topic encrypted with the AWS-managed key', async () => {
    const { sns, provision } = await setUp({ KmsMasterKeyId: 'alias/aws/sns' });
    await provision('TopicPolicy', statement());
    expect(() => sns.publishAs({ name: 'events.amazonaws.com' }, ARN, 'm')).toThrow('AWS-managed key');
  });
});

describe('subscriptions', () => {
  it('come from the template and the API', async () => {
    const { sns, world, provision } = await setUp({ Subscription: [{ Protocol: 'email', Endpoint: 'a@example.com' }] });
    await provision('Subscription', { TopicArn: ARN, Protocol: 'email', Endpoint: 'b@example.com' });
    const subscribe = { TopicArn: ARN, Protocol: 'email', Endpoint: 'c@example.com' };
    expect(await call(world, sns, 'Subscribe', subscribe)).toEqual({ SubscriptionArn: 'pending confirmation' });
    const told = (await call(world, sns, 'Subscribe', { ...subscribe, ReturnSubscriptionArn: 'true' })) as {
      SubscriptionArn: string;
    };
    expect(told.SubscriptionArn).toContain(ARN);
    const listed = async () =>
      (
        (await call(world, sns, 'ListSubscriptionsByTopic', { TopicArn: ARN })) as {
          Subscriptions: { Endpoint: string }[];
        }
      ).Subscriptions.map(({ Endpoint }) => Endpoint);
    expect(await listed()).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    await call(world, sns, 'Unsubscribe', told);
    expect(await listed()).toHaveLength(2);
  });

  it('need an address', async () => {
    const { provision } = await setUp();
    const subscription = { TopicArn: ARN, Protocol: 'email', Endpoint: 'nobody' };
    expect((await refusal(Promise.resolve(provision('Subscription', subscription)))).message).toContain(
      'email endpoint',
    );
  });
});

it('SDK clients work with it', async () => {
  const { sns, world, provision } = await setUp();
  await provision('Subscription', { TopicArn: ARN, Protocol: 'email', Endpoint: 'b@example.com' });
  const caller = world.credentials.issue('arn:aws:iam::123456789012:root');
  const client = new SNSClient(clientConfig(world, createEndpoint(world, [sns]), caller));
  const send = sender(world.clock, caller);
  const { MessageId } = await send(() =>
    client.send(new PublishCommand({ TopicArn: ARN, Message: 'm', Subject: 's' })),
  );
  expect(MessageId).toEqual(expect.any(String));
  const { Subscriptions } = await send(() => client.send(new ListSubscriptionsByTopicCommand({ TopicArn: ARN })));
  expect(Subscriptions).toMatchObject([{ Endpoint: 'b@example.com', Protocol: 'email' }]);
});
