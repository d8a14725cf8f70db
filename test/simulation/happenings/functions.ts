/** What happens to functions and executions. */
import { shortName } from '../journal';
import type { HappeningKind } from './happening';

const killed: HappeningKind = {
  grave: false,
  weight: 5,
  begin(stage, random) {
    const doom = { calls: 1 + random.integer(12), heard: random.next() < 0.5 };
    stage.doom = doom;
    return `the function that makes the ${doom.calls}. call from now on is killed ${doom.heard ? 'after' : 'before'} AWS hears of it`;
  },
};

const aborted: HappeningKind = {
  grave: false,
  weight: 3,
  begin(stage, random) {
    const { running } = stage;
    if (running.length === 0) return null;
    const execution = random.pick(running);
    execution.stop('Stopped', 'somebody pressed Stop');
    return `somebody stops ${shortName(execution.name)}`;
  },
};

export const functions: Record<string, HappeningKind> = {
  'a function is killed': killed,
  'an execution is aborted': aborted,
};
