import { App } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { ClusterStack, type ClusterStackProps } from './lib/cluster-stack';

export interface SynthesisProps extends ClusterStackProps {
  /** Directory of the cloud assembly (`cdk.out`). */
  readonly outdir: string;
  /** Whether CDK compares the template with CloudFormation's resource schemas: two more seconds. */
  readonly validate: boolean;
}

/**
 * Synthesizes the stack, offline and without an account. The same input gives the same templates: what the CDK CLI would
 * add by default (paths, analytics) is off here and in cdk.json.
 */
export function synthesize({ outdir, validate, ...props }: SynthesisProps): CloudAssembly {
  const app = new App({
    outdir,
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: validate,
    // What it finds is an error, not a warning.
    context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
  });
  new ClusterStack(app, props);
  return app.synth();
}
