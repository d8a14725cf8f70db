import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Config } from '../config';

/** What survives every execution: the inventory table and the join token. */
export class State extends Construct {
  readonly table: dynamodb.Table;
  readonly token: secretsmanager.Secret;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      // Epoch seconds: alerts that were sent are forgotten some day. Free.
      timeToLiveAttribute: 'expiresAt',
      // Safe to delete with the stack: the deletion guard refuses that while the inventory lists an instance.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.token = new secretsmanager.Secret(this, 'JoinToken', {
      description: `K3s join token of ${config.name}; read by its servers only`,
      // Letters and digits only: it is written to a file and compared byte by byte.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
