import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Names } from '../names';
import type { Functions } from './functions';
import { arn } from './permissions';

export interface WorkflowProps {
  readonly root: string;
  readonly names: Names;
  readonly functions: Functions;
  /** Values of the definitions' placeholders besides the functions' ARNs. */
  readonly substitutions: Readonly<Record<string, string>>;
}

/** The two state machines: one converges the cluster, the other deletes it. */
export class Workflow extends Construct {
  readonly cluster: sfn.StateMachine;
  readonly deletion: sfn.StateMachine;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: WorkflowProps,
  ) {
    super(scope, id);
    this.cluster = this.machine('Cluster', 'statemachine/cluster.asl.json', props.names.stateMachine);
    this.deletion = this.machine(
      'DeleteCluster',
      'statemachine/delete-cluster.asl.json',
      props.names.deleteStateMachine,
    );
  }

  private machine(id: string, file: string, name: string): sfn.StateMachine {
    const { functions } = this.props;
    const definition = readDefinition(join(this.props.root, file), file);
    const used = placeholders(definition, { ...functions.substitutions(), ...this.props.substitutions }, file);
    const role = new iam.Role(this, `${id}Role`, {
      // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html#prevent-cross-service-confused-deputy
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnEquals: { 'aws:SourceArn': arn('states', `stateMachine:${name}`) },
        },
      }),
      inlinePolicies: {
        Invoke: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['lambda:InvokeFunction'],
              resources: Object.entries(used)
                .filter(([key]) => key in functions.substitutions())
                .map(([, value]) => value),
            }),
          ],
        }),
      },
    });
    return new sfn.StateMachine(this, id, {
      stateMachineName: name,
      definitionBody: sfn.DefinitionBody.fromString(definition),
      definitionSubstitutions: used,
      role,
      tracingEnabled: false,
      logs: {
        // Without this prefix, the account's log resource policy outgrows its limit with the number of workflows.
        // https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        destination: new logs.LogGroup(this, `${id}Logs`, {
          logGroupName: `/aws/vendedlogs/states/${name}`,
          retention: logs.RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: sfn.LogLevel.ALL,
        includeExecutionData: false,
      },
    });
  }
}

function readDefinition(path: string, file: string): string {
  if (!existsSync(path)) throw new Error(`${file} is missing`);
  // Without its white space it stays well within the limits of a definition and of a template.
  return JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
}

/**
 * The values of the placeholders `${Name}` that a definition contains: no more, so that its role may invoke exactly what
 * it invokes.
 * @throws when one has no value
 */
function placeholders(
  definition: string,
  values: Readonly<Record<string, string>>,
  file: string,
): Record<string, string> {
  const names = [...new Set([...definition.matchAll(/\$\{([A-Za-z0-9]+)\}/g)].map((match) => match[1] ?? ''))].sort();
  return Object.fromEntries(
    names.map((name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${file} has the placeholder \${${name}}, which nothing fills`);
      return [name, value];
    }),
  );
}
