import { Alias } from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Config } from '../config';
import type { Names } from '../names';

/**
 * Where people are told. The topic costs nothing; 1,000 e-mails a month are free, then $2 per 100,000.
 *
 * It is encrypted with AWS' own key, which is free (a customer's costs $1 a month) and which no AWS service may use: only
 * functions with a role of this account can publish (docs/adr/006-alerts-through-one-function.md).
 */
export class Alerts extends Construct {
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, { config, names }: { config: Config; names: Names }) {
    super(scope, id);
    this.topic = new sns.Topic(this, 'Topic', {
      topicName: names.topic,
      // The sender's name of the e-mails.
      displayName: `K3s cluster ${config.name}`,
      masterKey: Alias.fromAliasName(this, 'Key', 'alias/aws/sns'),
      enforceSSL: true,
    });
    // Its owner has to confirm the address, once.
    if (config.alertEmail) this.topic.addSubscription(new EmailSubscription(config.alertEmail));
  }
}
