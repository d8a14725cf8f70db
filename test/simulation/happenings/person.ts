/** What people do. */
import type { HappeningKind } from './happening';

const startsAgain: HappeningKind = {
  grave: false,
  weight: 3,
  begin(stage) {
    stage.start('cluster');
    return 'starts the workflow, once more';
  },
};

const deletes: HappeningKind = {
  grave: true,
  weight: 0.7,
  begin(stage) {
    stage.start('delete');
    return 'deletes the cluster';
  },
};

const pauses: HappeningKind = {
  grave: false,
  weight: 1,
  begin(stage) {
    if (stage.truth.wanted.incarnation === '') return null;
    void stage.pause(true);
    stage.until('pause', () => void stage.pause(false));
    return 'pauses healing';
  },
};

export const person: Record<string, HappeningKind> = {
  'a person starts the workflow again': startsAgain,
  'a person deletes the cluster': deletes,
  'a person pauses healing': pauses,
};
