/** What there is to tell of an execution that did not leave a whole cluster. */
import type * as z from 'zod/mini';
import { defersReplacement, incidentOf, TODO } from '../cluster/concern';
import type { ClusterEvent } from '../events';
import type { Input } from './contract';
import { subject, type Teller } from './converged';

export type Failed = Extract<z.infer<typeof Input>['outcome'], { status: 'failed' }>;

/** The workflow's own errors: it was not broken, it found that it must not go on, or that waiting does not help. */
const REFUSED = 'Refused';
const NOT_CONVERGED = 'NotConverged';

export function failedEvent(outcome: Failed, teller: Teller): ClusterEvent {
  const { stage, error, cause, concern, changed } = outcome;
  if (concern && (error === REFUSED || (error === NOT_CONVERGED && !changed))) {
    const deferred = error === REFUSED && defersReplacement(concern);
    return {
      detailType: deferred ? 'Replacement Deferred' : 'Cluster Degraded',
      detail: {
        ...teller,
        ...subject(concern),
        incident: incidentOf(concern),
        reason: cause,
        decision: deferred ? 'the replacement is deferred: nothing was changed' : 'nothing was changed',
        todo: TODO[concern.code],
      },
    };
  }
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
