import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import type { Functions } from './functions';

/**
 * Refuses the deletion of the stack while servers exist. It depends on everything that servers need, so CloudFormation
 * deletes it first: when it fails, nothing has been taken away from a running cluster.
 */
export class Guard extends Construct {
  constructor(scope: Construct, id: string, props: { functions: Functions; before: readonly IConstruct[] }) {
    super(scope, id);
    const resource = new CustomResource(this, 'Deletion', {
      resourceType: 'Custom::GuardDeletion',
      serviceToken: props.functions.get('guard-deletion').functionArn,
      // The function answers within its 30 s; CloudFormation would otherwise wait an hour for a lost answer.
      serviceTimeout: Duration.minutes(2),
    });
    resource.node.addDependency(...props.before);
  }
}
