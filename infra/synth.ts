import { App } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { Config } from './config';
import { ClusterStack, type ClusterStackProps } from './lib/cluster-stack';

export interface SynthesisProps extends ClusterStackProps {
  /** Directory of the cloud assembly (`cdk.out`). */
  readonly outdir: string;
  /**
   * Examines what is to be deployed (review.ts); with it CDK also compares the template with CloudFormation's resource
   * schemas. Absent: neither, which saves a local run three seconds.
   */
  readonly review?: (app: App, stack: ClusterStack, config: Config) => void;
}

/**
 * Synthesizes the stack, offline and without an account. The same input gives the same templates: what the CDK CLI would
 * add by default (paths, analytics) is off here and in cdk.json.
 */
export function synthesize({ outdir, review, ...props }: SynthesisProps): CloudAssembly {
  const app = new App({
    outdir,
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: review !== undefined,
    // What it finds is an error, not a warning.
    context: { '@aws-cdk/core:validateAgainstDefaultRules': true },
  });
  const stack = new ClusterStack(app, props);
  review?.(app, stack, props.config);
  return app.synth();
}
