/**
 * SNS: standard topics with an inbox in place of e-mail.
 * Not modelled, and therefore refused: FIFO topics, filter policies, message attributes and structures, SMS.
 */
import { z } from 'zod';
import type { Permits, ServiceCaller } from '../iam/authority';
import type { Need } from '../iam/need';
import { RESOURCE_POLICY } from '../iam/policy';
import { type CompiledStatement, compilePolicy } from '../iam/statement';
import { page } from '../paging';
import { provision } from '../properties';
import { BOOLEAN } from '../scalars';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';

/** UTF-8 bytes of a message (SNS quotas). */
const MESSAGE_LIMIT = 262_144;
const PAGE_SIZE = 100;

const ARN = z.string().min(1);
const TOPIC = z.strictObject({
  TopicName: z
    .string()
    .regex(/^[\w-]{1,256}$/, 'must be 1 to 256 letters, digits, hyphens and underscores')
    .optional(),
  DisplayName: z.string().max(100).optional(),
  KmsMasterKeyId: z.string().optional(),
  Subscription: z.array(z.strictObject({ Protocol: z.string(), Endpoint: z.string() })).default([]),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});
const PROTOCOL = z.enum(['email', 'email-json', 'https'], 'must be email, email-json or https');
const SUBSCRIPTION = z.strictObject({ TopicArn: ARN, Protocol: PROTOCOL, Endpoint: z.string().min(1) });
const TOPIC_POLICY = z.strictObject({ Topics: z.array(ARN).min(1), PolicyDocument: RESOURCE_POLICY });

export interface Subscription {
  arn: string;
  protocol: string;
  endpoint: string;
}

interface Topic {
  arn: string;
  name: string;
  displayName: string;
  kmsKey: string | undefined;
  policy: CompiledStatement[];
  subscriptions: Subscription[];
}

/** A message as its subscribers get it. */
export interface Mail {
  topic: string;
  subject: string | undefined;
  message: string;
  /** Milliseconds since the epoch. */
  at: number;
}

export class Sns implements Service {
  readonly name = 'sns';
  readonly protocol = 'query';
  readonly version = '2010-03-31';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  /** Everything published, oldest first. */
  readonly inbox: Mail[] = [];

  private readonly topics = new Map<string, Topic>();
  private readonly listeners = new Set<(mail: Mail) => void>();
  private readonly random;

  constructor(
    private readonly world: World,
    private readonly authority: Permits,
  ) {
    this.random = world.random.fork('sns');
    this.resources = {
      'AWS::SNS::Topic': provision('AWS::SNS::Topic', TOPIC, (properties, logicalId) =>
        this.create(logicalId, properties),
      ),
      'AWS::SNS::Subscription': provision('AWS::SNS::Subscription', SUBSCRIPTION, (properties) => {
        const { arn } = this.subscribe(properties.TopicArn, properties.Protocol, properties.Endpoint);
        return { ref: arn, attributes: { Arn: arn } };
      }),
      'AWS::SNS::TopicPolicy': provision('AWS::SNS::TopicPolicy', TOPIC_POLICY, (properties, logicalId) => {
        for (const arn of properties.Topics) this.topic(arn).policy.push(...compilePolicy(properties.PolicyDocument));
        return { ref: logicalId, attributes: { Id: logicalId } };
      }),
    };
    this.operations = { ...this.publishing(), ...this.listing() };
  }

  /** Calls `listener` for every message; returns its removal. */
  onMail(listener: (mail: Mail) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Publishes on behalf of an AWS service.
   * @throws AwsError AuthorizationError when the topic's policy does not admit it, KMSAccessDenied when the topic is
   *   encrypted with the AWS-managed key, which no service principal may use (SNS Developer Guide, "Key management").
   */
  publishAs(service: ServiceCaller, topicArn: string, message: string, subject?: string): void {
    const topic = this.topic(topicArn);
    const denied = this.authority.serviceRefusal(service, this.need('Publish', topicArn));
    if (denied !== undefined) throw new AwsError('AuthorizationError', denied, 403);
    if (topic.kmsKey?.endsWith('alias/aws/sns'))
      throw new AwsError('KMSAccessDenied', `${service.name} may not use the AWS-managed key of ${topicArn}.`, 400);
    this.publish(topic, message, subject);
  }

  /**
   * Publishes on behalf of a session of a role of this account.
   *
   * @throws AwsError NotFound, AuthorizationError
   */
  publishFor(caller: string, topicArn: string, message: string): void {
    const denied = this.authority.refusal(caller, [this.need('Publish', topicArn)]);
    if (denied !== undefined) throw new AwsError('AuthorizationError', denied, 403);
    this.publish(this.topic(topicArn), message, undefined);
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html */
  private need(action: string, topicArn: string): Need {
    const policy = this.topics.get(topicArn)?.policy;
    return { action: `sns:${action}`, resource: topicArn, policy: policy && { statements: policy } };
  }

  private publish(topic: Topic, message: string, subject: string | undefined): string {
    if (message === '') throw invalid('Empty message');
    if (Buffer.byteLength(message) > MESSAGE_LIMIT) throw invalid('Message too long');
    if (subject !== undefined && !validSubject(subject)) throw invalid('Subject');
    const mail: Mail = { topic: topic.arn, subject, message, at: this.world.clock.now() };
    this.inbox.push(mail);
    for (const listener of this.listeners) listener(mail);
    return this.random.uuid();
  }

  private create(logicalId: string, properties: z.infer<typeof TOPIC>): Provisioned {
    const name = properties.TopicName ?? `${logicalId}-${this.random.hex(12)}`;
    const arn = `arn:aws:sns:${this.world.region}:${this.world.account}:${name}`;
    this.topics.set(arn, {
      arn,
      name,
      displayName: properties.DisplayName ?? '',
      kmsKey: properties.KmsMasterKeyId,
      policy: [],
      subscriptions: [],
    });
    for (const { Protocol, Endpoint } of properties.Subscription) this.subscribe(arn, Protocol, Endpoint);
    return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
  }

  private subscribe(topicArn: string, protocol: string, endpoint: string): Subscription {
    const topic = this.topic(topicArn);
    const valid = protocol === 'https' ? /^https:\/\/\S+$/ : /^[^@\s]+@[^@\s]+$/;
    if (!valid.test(endpoint)) throw new AwsError('InvalidParameter', `Invalid parameter: ${protocol} endpoint`);
    const known = topic.subscriptions.find((other) => other.protocol === protocol && other.endpoint === endpoint);
    if (known) return known;
    const subscription = { arn: `${topicArn}:${this.random.uuid()}`, protocol, endpoint };
    topic.subscriptions.push(subscription);
    return subscription;
  }

  private topic(arn: string): Topic {
    const topic = this.topics.get(arn);
    if (!topic) throw new AwsError('NotFound', 'Topic does not exist', 404);
    return topic;
  }

  private publishing(): Record<string, Operation> {
    return {
      Publish: operation({
        input: z.strictObject({ TopicArn: ARN, Message: z.string(), Subject: z.string().optional() }),
        needs: ({ TopicArn }) => [this.need('Publish', TopicArn)],
        handle: ({ TopicArn, Message, Subject }) => ({
          MessageId: this.publish(this.topic(TopicArn), Message, Subject),
        }),
      }),
      Subscribe: operation({
        input: z.strictObject({
          TopicArn: ARN,
          Protocol: PROTOCOL,
          Endpoint: z.string(),
          ReturnSubscriptionArn: BOOLEAN.default(false),
        }),
        needs: ({ TopicArn }) => [this.need('Subscribe', TopicArn)],
        handle: ({ TopicArn, Protocol, Endpoint, ReturnSubscriptionArn }) => {
          const { arn } = this.subscribe(TopicArn, Protocol, Endpoint);
          // Until the owner of the address confirms, the ARN is told only on request.
          return { SubscriptionArn: ReturnSubscriptionArn ? arn : 'pending confirmation' };
        },
      }),
      Unsubscribe: operation({
        input: z.strictObject({ SubscriptionArn: ARN }),
        needs: ({ SubscriptionArn }) => [this.need('Unsubscribe', SubscriptionArn.split(':').slice(0, 6).join(':'))],
        handle: ({ SubscriptionArn }) => {
          for (const topic of this.topics.values())
            topic.subscriptions = topic.subscriptions.filter(({ arn }) => arn !== SubscriptionArn);
          return {};
        },
      }),
    };
  }

  private listing(): Record<string, Operation> {
    const NextToken = z.string().optional();
    const refuse = () => new AwsError('InvalidParameter', 'Invalid parameter: nextToken');
    const listed = (topic: Topic) =>
      topic.subscriptions.map(({ arn, protocol, endpoint }) => ({
        TopicArn: topic.arn,
        Protocol: protocol,
        SubscriptionArn: arn,
        Owner: this.world.account,
        Endpoint: endpoint,
      }));
    return {
      ListTopics: operation({
        input: z.strictObject({ NextToken }),
        handle: ({ NextToken: token }) => {
          const all = [...this.topics.keys()].map((TopicArn) => ({ TopicArn }));
          const { items, nextToken } = page(all, PAGE_SIZE, token, refuse);
          return { Topics: items, NextToken: nextToken };
        },
      }),
      ListSubscriptions: operation({
        input: z.strictObject({ NextToken }),
        handle: ({ NextToken: token }) => {
          const { items, nextToken } = page([...this.topics.values()].flatMap(listed), PAGE_SIZE, token, refuse);
          return { Subscriptions: items, NextToken: nextToken };
        },
      }),
      ListSubscriptionsByTopic: operation({
        input: z.strictObject({ TopicArn: ARN, NextToken }),
        needs: ({ TopicArn }) => [this.need('ListSubscriptionsByTopic', TopicArn)],
        handle: ({ TopicArn, NextToken: token }) => {
          const { items, nextToken } = page(listed(this.topic(TopicArn)), PAGE_SIZE, token, refuse);
          return { Subscriptions: items, NextToken: nextToken };
        },
      }),
      GetTopicAttributes: operation({
        input: z.strictObject({ TopicArn: ARN }),
        needs: ({ TopicArn }) => [this.need('GetTopicAttributes', TopicArn)],
        handle: ({ TopicArn }) => {
          const topic = this.topic(TopicArn);
          const attributes: [string, string][] = [
            ['TopicArn', topic.arn],
            ['Owner', this.world.account],
            ['DisplayName', topic.displayName],
            ['SubscriptionsConfirmed', '0'],
            ['SubscriptionsPending', String(topic.subscriptions.length)],
          ];
          if (topic.kmsKey) attributes.push(['KmsMasterKeyId', topic.kmsKey]);
          return { Attributes: new Map(attributes) };
        },
      }),
    };
  }
}

/**
 * "Subjects must be ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or
 * control characters; and must be less than 100 characters long." Exactly 100 are accepted.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const validSubject = (subject: string) => /^[!-~][ -~]{0,99}$/.test(subject);

const invalid = (what: string) => new AwsError('InvalidParameter', `Invalid parameter: ${what}`);
