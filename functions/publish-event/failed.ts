/** What there is to tell of an execution that did not leave a whole cluster. */
import type * as z from 'zod/mini';
import { type Concern, defersReplacement, incidentOf, TODO } from '../cluster/concern';
import type { ClusterEvent } from '../events';
import type { Input } from './contract';
import { subject, type Teller } from './converged';

export type Failed = Extract<z.infer<typeof Input>['outcome'], { status: 'failed' }>;

/** The workflow's own errors: it was not broken, it found that it must not go on, or that waiting does not help. */
const REFUSED = 'Refused';
const NOT_CONVERGED = 'NotConverged';

/** What there is to tell, what the execution ended with first. */
export function failedEvents(outcome: Failed, teller: Teller): [ClusterEvent, ...ClusterEvent[]] {
  const { error, cause, concern, changed } = outcome;
  if (concern && (error === REFUSED || (error === NOT_CONVERGED && !changed))) {
    if (error !== REFUSED || !defersReplacement(concern)) {
      return [{ detailType: 'Cluster Degraded', detail: about(concern, cause, 'nothing was changed', teller) }];
    }
    return [deferred(concern, cause, 'the replacement is deferred: nothing was changed', teller)];
  }
  const failure = broken(outcome, teller);
  // It waits whatever else is done; without the failure, that would have been the refusal at the end.
  if (concern?.code !== 'replacement-limit') return [failure];
  const reason = 'too many servers were replaced within the last hour';
  return [failure, deferred(concern, reason, 'the replacement is deferred', teller)];
}

function deferred(concern: Concern, reason: string, decision: string, teller: Teller): ClusterEvent {
  return { detailType: 'Replacement Deferred', detail: about(concern, reason, decision, teller) };
}

function about(concern: Concern, reason: string, decision: string, teller: Teller) {
  return {
    ...teller,
    ...subject(concern),
    incident: incidentOf(concern),
    reason,
    decision,
    todo: TODO[concern.code],
  };
}

function broken({ stage, error, cause }: Failed, teller: Teller): ClusterEvent {
  return {
    detailType: 'Converge Failed',
    detail: {
      ...teller,
      incident: `failed/${stage}/${error}`,
      stage,
      error,
      reason: cause,
      decision: `the execution ended in stage ${stage} with ${error}; another one continues where it stopped`,
      todo: 'Read the reason. While the cluster is initialised, healing tries again by itself within ten minutes; otherwise start the cluster workflow again.',
    },
  };
}
