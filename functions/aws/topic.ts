/** SNS: the topic that people subscribe to. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { type ClientSettings, clientSettings } from './client';
import { attempt } from './errors';

export class Topic {
  private readonly client: SNSClient;

  constructor(
    settings: ClientSettings,
    private readonly arn: string,
  ) {
    this.client = new SNSClient(clientSettings(settings));
  }

  /** @param subject up to 100 ASCII characters, without line breaks: SNS takes no other */
  async publish(subject: string, message: string): Promise<void> {
    await attempt('Publish', () =>
      this.client.send(new PublishCommand({ TopicArn: this.arn, Subject: subject, Message: message })),
    );
  }
}
