/**
 * What a person may have to know about, in a stable form: the same trouble has the same incident, so that it is told
 * once, and each kind has one answer to "what do I have to do?".
 */

/** Each is also the heading of a section of the runbook, `docs/operations.md#<code>`. */
export const CONCERN_CODES = [
  'absent',
  'agent-lost',
  'all-servers-lost',
  'already-a-cluster',
  'backing-off',
  'majority-at-risk',
  'majority-lost',
  'no-peer',
  'not-in-service',
  'nothing-observed',
  'paused',
  'replacement-limit',
  'unidentified-member',
  'version-mismatch',
  'voters-unknown',
] as const;
export type ConcernCode = (typeof CONCERN_CODES)[number];

export interface Concern {
  code: ConcernCode;
  /** The server that it is about; null when it is about the cluster. */
  slot: number | null;
  instanceId: string | null;
}

/** The same for as long as the trouble lasts, whoever looks and however often. */
export function incidentOf({ code, slot, instanceId }: Concern): string {
  return [code, instanceId ?? (slot === null ? null : `server-${slot}`)].filter((part) => part !== null).join('/');
}

/** These stand between a server that is to be replaced and its successor. */
export function defersReplacement({ code, slot }: Concern): boolean {
  return slot !== null && code !== 'agent-lost' && code !== 'not-in-service' && code !== 'nothing-observed';
}

/** What a person must do, as an order; "nothing" never stands here: then there is no concern. */
export const TODO: Record<ConcernCode, string> = {
  absent: 'Start the cluster workflow when you want a cluster.',
  'agent-lost':
    'Restart the SSM agent on it (reboot the instance), or terminate the instance: then it is replaced like any other.',
  'all-servers-lost': 'Restore the cluster from a snapshot, or delete it and create a new one.',
  'already-a-cluster': "Restore the table's item `cluster` from the table's backup, then start the cluster workflow.",
  'backing-off':
    'Find out why new servers do not join: console output of the newest instance, then its K3s journal. It is tried again by itself.',
  'majority-at-risk':
    'Bring the sick servers back if you can (start stopped ones, heal the zone). Nothing is removed while the majority is at risk; it goes on by itself as soon as it is not.',
  'majority-lost':
    'Bring back enough servers for a majority; if they are gone for good, restore the cluster from a snapshot.',
  'no-peer':
    'Make one healthy server take commands again: its SSM agent must be online and its role allowed to reach SSM.',
  'not-in-service':
    'Look at the server: its target health, then its K3s journal. If you give it up, terminate the instance: then it is replaced.',
  'nothing-observed':
    'Nothing at once: it is tried again by itself. If it lasts, look at AWS Health and at the functions’ permissions.',
  paused:
    'Resume healing when your maintenance is over: npm run resume, or set `paused` of the item `cluster` to false.',
  'replacement-limit':
    'Find out what makes servers fail one after the other. Healing goes on by itself when the hour is over.',
  'unidentified-member': 'Remove that member by hand, then start the cluster workflow.',
  'version-mismatch': 'Deploy the stack with the K3s version that the cluster runs.',
  'voters-unknown': 'Make one healthy server answer: its SSM agent, etcd and API must be up.',
};
