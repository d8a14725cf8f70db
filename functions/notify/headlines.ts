/** What a subject says of a concern: a subject has room for 100 characters. */
import type { ConcernCode } from '../cluster/concern';

const HEADLINES: Record<ConcernCode, string> = {
  absent: 'the cluster is absent',
  'agent-lost': 'SSM agent lost',
  'all-servers-lost': 'no server runs K3s any more',
  'already-a-cluster': 'a cluster exists that the record does not know',
  'backing-off': 'new machines fail to join one after the other',
  'majority-at-risk': 'the majority is at risk',
  'majority-lost': 'the majority may be lost',
  'no-peer': 'no healthy server takes commands',
  'not-in-service': 'not in service',
  'nothing-observed': 'the cluster cannot be observed',
  paused: 'healing is paused',
  'replacement-limit': 'too many replacements within an hour',
  'unidentified-member': 'an unknown etcd member is in the way',
  'version-mismatch': 'the deployment has another K3s version',
  'voters-unknown': 'nobody can say who votes',
};

/** Of an incident, which begins with the code of its concern; null when it is none. */
export function headlineOf(incident: string): string | null {
  const code = incident.split('/')[0];
  return Object.entries(HEADLINES).find(([known]) => known === code)?.[1] ?? null;
}
