/** What an invariant is asked about. */
import type { Instance } from '../../../local/aws/ec2';
import type { Mail } from '../../../local/aws/sns';
import type { Execution } from '../../../local/aws/stepfunctions';
import type { CensusMember, ClusterCensus } from '../../../local/k3s';
import type { ObservedCall } from '../../support/embedded';
import type { Stage } from '../stage';

export interface Steps {
  /** A function or node has called AWS, with success or without. */
  call: ObservedCall;
  /** A function has changed something for an execution, its earlier calls of the same invocation beside it. */
  action: { call: ObservedCall; execution: string; before: readonly ObservedCall[] };
  /** An instance was launched. */
  launch: Instance;
  /** The product is terminating an instance. */
  termination: Instance;
  /** A member of etcd is not one any more. */
  removal: { member: CensusMember; cluster: ClusterCensus };
  /** A Node is not listed any more. */
  forgotten: string;
  /** A second has passed. */
  second: null;
  mail: Mail;
  /** An execution has begun. */
  start: Execution;
  /** An execution has ended. */
  end: Execution;
}

/** What is wrong, in a sentence; null when nothing is. */
export type Check<Step> = (step: Step, stage: Stage) => string | null;

/** By the rule in words. */
export type Checks<Step> = Record<string, Check<Step>>;
