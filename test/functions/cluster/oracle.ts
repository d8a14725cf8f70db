/** What the properties take for granted: read off an observation, and deliberately written without the code under test. */
import type { Observation } from '../../../functions/cluster/observation';

/** Instance ids of the voters, told by the member list alone. */
export function votersOf({ view }: Observation): string[] {
  return (view?.members ?? []).filter(({ learner }) => !learner).map(({ name }) => ownerOf(name));
}

export function learnersOf({ view }: Observation): string[] {
  return (view?.members ?? []).filter(({ learner }) => learner).map(({ name }) => ownerOf(name));
}

function ownerOf(member: string): string {
  return member.slice(0, member.lastIndexOf('-'));
}

export function instanceOf({ instances }: Observation, instanceId: string) {
  return instances.find((instance) => instance.instanceId === instanceId);
}

export function nodeOf({ view }: Observation, instanceId: string) {
  return view?.nodes.find(({ name }) => name === instanceId);
}

export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Fresh positive evidence of health, as safety rule 1 asks for it. */
export function answersForItself(observation: Observation, instanceId: string): boolean {
  const instance = instanceOf(observation, instanceId);
  const node = nodeOf(observation, instanceId);
  if (instance?.state !== 'running' || node?.ready !== 'True' || node.deleting) return false;
  if (instance.report) return instance.report.etcdHealthy === true && instance.report.apiReady;
  return instance.agent === 'lost' && instance.targets.api === 'healthy';
}

/** How many independent signals speak against a server at this moment (safety rule 7). */
export function signalsAgainst(observation: Observation, instanceId: string): number {
  const instance = instanceOf(observation, instanceId);
  const node = nodeOf(observation, instanceId);
  const witnessed = observation.view?.reporters.some((reporter) => reporter !== instanceId) ?? false;
  return (
    Number(instance?.targets.api === 'unhealthy') +
    Number(witnessed && node !== undefined && node.ready !== 'True') +
    Number(instance?.statusCheck === 'impaired')
  );
}

/** Voters that safety rule 5 counts as sick. */
export function sickVoters(observation: Observation): string[] {
  return votersOf(observation).filter((instanceId) => {
    const state = instanceOf(observation, instanceId)?.state;
    if (state === undefined || state === 'unknown' || state === 'pending') return false;
    return state !== 'running' || signalsAgainst(observation, instanceId) >= 2;
  });
}
