import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { pascal } from '../names';
import type { PermissionsProps } from './permissions';
import { type Step, type StepName, steps } from './steps';

export interface FunctionsProps extends PermissionsProps {
  /** Where the bundles are: `<bundles>/<step>/index.js`. */
  readonly bundles: string;
}

/** The Lambda functions, each with a role, a log group and permissions of its own. */
export class Functions extends Construct {
  private readonly byStep = new Map<string, lambda.Function>();

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FunctionsProps,
  ) {
    super(scope, id);
    for (const [name, step] of Object.entries(steps(props))) this.byStep.set(name, this.define(name, step));
  }

  get(step: StepName): lambda.Function {
    const found = this.byStep.get(step);
    if (!found) throw new Error(`there is no function ${step}`);
    return found;
  }

  /** ASL substitutions: `LaunchServerArn` → the ARN of `launch-server`. */
  substitutions(): Record<string, string> {
    return Object.fromEntries([...this.byStep].map(([step, fn]) => [`${pascal(step)}Arn`, fn.functionArn]));
  }

  private define(name: string, step: Step): lambda.Function {
    const { config, names, state, bundles } = this.props;
    const bundle = join(bundles, name);
    if (!existsSync(join(bundle, 'index.js'))) {
      throw new Error(`${join(bundle, 'index.js')} is missing: run "npm run bundle" first`);
    }
    const functionName = names.lambda(name);
    const logGroup = new logs.LogGroup(this, `${pascal(name)}Logs`, {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // The trust names the account, as in AWS' own example policies (aws/agent-toolkit-for-aws, lambda-trust-policy.json).
    // Not AWSLambdaBasicExecutionRole: that one may write to every log group of the account.
    const role = new iam.Role(this, `${pascal(name)}Role`, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: `${functionName}: ${step.description}`,
      inlinePolicies: {
        Logs: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
        Step: new iam.PolicyDocument({ statements: [...step.statements] }),
      },
    });
    return new lambda.Function(this, pascal(name), {
      functionName,
      description: step.description,
      code: lambda.Code.fromAsset(bundle),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: step.timeout ?? Duration.seconds(30),
      environment: { CLUSTER: config.name, TABLE: state.table.tableName, ...step.env },
      role,
      logGroup,
    });
  }
}
