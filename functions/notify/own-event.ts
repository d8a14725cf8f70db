/** Messages about what the cluster itself published. */
import { serverName } from '../cluster/names';
import type { DeliveredEvent, Detail, Stages } from '../events';
import type { Alert } from './alert';
import { headlineOf } from './headlines';

/** Null: it informs programs; people hear of the outcome. */
export function alertOf(event: DeliveredEvent): Alert | null {
  switch (event['detail-type']) {
    case 'Node Suspected':
    case 'Replacement Started':
      return null;
    case 'Node Replaced':
      return replaced(event.detail);
    case 'Cluster Ready':
      return {
        ...common(event.detail),
        headline: `cluster ready: ${event.detail.servers} servers in service`,
        runbook: 'cluster-ready',
        resolves: true,
      };
    case 'Replacement Deferred':
      return {
        ...common(event.detail),
        headline: `${who(event.detail)}not replaced: ${headlineOf(event.detail.incident) ?? event.detail.reason}`,
        runbook: codeOf(event.detail.incident),
      };
    case 'Cluster Degraded':
      return {
        ...common(event.detail),
        headline: `degraded: ${who(event.detail)}${headlineOf(event.detail.incident) ?? event.detail.reason}`,
        runbook: codeOf(event.detail.incident),
      };
    case 'Converge Failed':
      return {
        ...common(event.detail),
        headline: `not converged: ${event.detail.stage} failed with ${event.detail.error}`,
        runbook: 'converge-failed',
      };
  }
}

/** The server at the beginning of a sentence, where there is one. */
const who = ({ slot }: { slot?: number }) => (slot === undefined ? '' : `${serverName(slot)} `);

function common({ incident, at, reason, decision, todo, paused, execution }: DeliveredEvent['detail']) {
  return { incident, at, reason, decision, todo, paused, execution, since: null, changed: null, resolves: false };
}

function replaced(detail: Detail<'Node Replaced'>): Alert {
  const { slot, instanceId, newInstanceId, since, seconds } = detail;
  return {
    ...common(detail),
    headline: `${serverName(slot)} replaced in ${seconds.total} s`,
    since,
    changed: `${serverName(slot)}: ${instanceId} → ${newInstanceId} in ${duration(seconds)}`,
    runbook: 'node-replaced',
    resolves: true,
  };
}

function duration({ detect, launch, join, inService, total }: Stages): string {
  return `${total} s (detect ${detect} s · launch ${launch} s · join ${join} s · in service ${inService} s)`;
}

/** The incident of a concern begins with its code, which is the runbook's heading. */
const codeOf = (incident: string) => incident.split('/')[0] ?? incident;
