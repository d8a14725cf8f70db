/** The safety rules (docs/reliability.md), and the promises beside them, each with the step at which it is checked and its check. */
import type { Stage } from '../stage';
import { leaseIsTakenFromTheDead, onlyOneInitialises, onlyTheGoneAreRemoved, onlyTheGoneLoseTraffic } from './actions';
import {
  boundedReplacements,
  oneCluster,
  onePerGeneration,
  onePerSlotAndOneSurge,
  onlyWhatIsWanted,
  theInitialisedOne,
} from './identity';
import {
  fencedBeforeRemoval,
  healthyIsKept,
  majorityStays,
  majorityStaysInEtcd,
  nobodyElseIsOnTheMove,
  noNodeGoesBeforeItsMachine,
  nothingIsDestroyedWithoutMajority,
} from './removal';
import type { Checks, Steps } from './steps';
import {
  failureIsTold,
  fewRepairs,
  goodNewsIsTrue,
  historyTellsNoSecret,
  holderActs,
  looksBeforeItTerminates,
  mailsTellNoSecret,
  namesTheRightServer,
  nobodyButNodesReadsTheToken,
  noFlood,
  noRepairIsStartedInAPause,
  onlyWhatMayBeHealed,
  shortHistory,
  successIsSuccess,
  successIsTrue,
} from './workflow';

/**
 * Rules 6 and 9 have no check of their own: what an unknown or a lost event must not lead to is that a healthy server
 * goes, or that the cluster does not become whole. Rule 11, and what rule 16 says of refusals, are judged in every calm by `settled.ts`, rule 13 is part of every storm.
 */
const INVARIANTS: { [Name in keyof Steps]: Checks<Steps[Name]> } = {
  call: {
    'nobody but a node reads the token': nobodyButNodesReadsTheToken,
    'rule 10: the lease is taken from who has ended': leaseIsTakenFromTheDead,
  },
  action: {
    'rule 3: fresh reads before the irreversible': looksBeforeItTerminates,
    'rule 4: the machine is gone before anybody removes it': onlyTheGoneAreRemoved,
    'rule 10: only the holder of the lease acts': holderActs,
    'rule 12: one machine begins the cluster': onlyOneInitialises,
    'rule 14: the healer changes only what may be healed': onlyWhatMayBeHealed,
    'who lives keeps its traffic': onlyTheGoneLoseTraffic,
  },
  launch: {
    'rule 8: three replacements an hour': boundedReplacements,
    'rule 14: only what a person wanted': onlyWhatIsWanted,
    'one server per slot and one surge': onePerSlotAndOneSurge,
    'one server per launch': onePerGeneration,
  },
  termination: {
    'rule 1: a majority of healthy voters stays': majorityStays,
    'rule 2: one at a time': nobodyElseIsOnTheMove,
    'rule 5: without a majority nothing is destroyed': nothingIsDestroyedWithoutMajority,
    'rule 7: a server stays for the dwell': healthyIsKept,
  },
  removal: {
    'rule 1: a majority of healthy voters stays in etcd': majorityStaysInEtcd,
    'rule 4: the machine is gone before its member': fencedBeforeRemoval,
  },
  forgotten: { 'rule 4: the machine is gone before its Node': noNodeGoesBeforeItsMachine },
  second: {
    'rule 12: never two clusters': oneCluster,
    'rule 12: the cluster is the one that was initialised': theInitialisedOne,
    'rule 16: a failure is told': failureIsTold,
  },
  start: {
    'rule 8: a few repairs an hour': fewRepairs,
    'rule 14: a pause is respected': noRepairIsStartedInAPause,
  },
  mail: {
    'no message tells a secret': mailsTellNoSecret,
    'a message names the right server': namesTheRightServer,
    'rule 16: good news is true': goodNewsIsTrue,
    'one message per incident': noFlood,
  },
  end: {
    'rule 16: success is true': successIsTrue,
    'rule 16: only success ends well': successIsSuccess,
    'a short history': shortHistory,
    'no history tells a secret': historyTellsNoSecret,
  },
};

/** Judges one step by everything that can be said of it. */
export function judge<Name extends keyof Steps>(name: Name, step: Steps[Name], stage: Stage): void {
  const checks: Checks<Steps[Name]> = INVARIANTS[name];
  for (const [invariant, check] of Object.entries(checks)) {
    const what = check(step, stage);
    if (what !== null) stage.violate(invariant, what);
  }
}
