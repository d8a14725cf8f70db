/** The rules of safety.md, and the promises beside them, each with the step at which it is checked and its check. */
import type { Stage } from '../stage';
import { oneCluster, onePerSlotAndOneSurge, onlyWhatIsWanted, theInitialisedOne } from './identity';
import {
  fencedBeforeRemoval,
  healthyIsKept,
  majorityStays,
  majorityStaysInEtcd,
  nobodyElseIsOnTheMove,
  nothingIsDestroyedWithoutMajority,
} from './removal';
import type { Checks, Steps } from './steps';
import { mailsTellNoSecret, nobodyButNodesReadsTheToken, shortHistory } from './workflow';

const INVARIANTS: { [Name in keyof Steps]: Checks<Steps[Name]> } = {
  call: { 'nobody but a node reads the token': nobodyButNodesReadsTheToken },
  launch: {
    'one server per slot and one surge': onePerSlotAndOneSurge,
    'rule 14: only what a person wanted': onlyWhatIsWanted,
  },
  termination: {
    'rule 1: a majority of healthy voters stays': majorityStays,
    'rule 2: one at a time': nobodyElseIsOnTheMove,
    'rule 5: without a majority nothing is destroyed': nothingIsDestroyedWithoutMajority,
    'rule 7: a healthy server stays': healthyIsKept,
  },
  removal: {
    'rule 1: a majority of healthy voters stays in etcd': majorityStaysInEtcd,
    'rule 4: the machine is gone before its member': fencedBeforeRemoval,
  },
  second: {
    'rule 12: never two clusters': oneCluster,
    'rule 12: the cluster is the one that was initialised': theInitialisedOne,
  },
  mail: { 'no message tells a secret': mailsTellNoSecret },
  end: { 'a short history': shortHistory },
};

/** Judges one step by everything that can be said of it. */
export function judge<Name extends keyof Steps>(name: Name, step: Steps[Name], stage: Stage): void {
  const checks: Checks<Steps[Name]> = INVARIANTS[name];
  for (const [invariant, check] of Object.entries(checks)) {
    const what = check(step, stage);
    if (what !== null) stage.violate(invariant, what);
  }
}
