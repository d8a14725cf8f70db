import type { ExecutionRef } from '../../../functions/contracts';

const execution = (name: string, redrive = 0): ExecutionRef => ({
  id: `arn:aws:states:eu-west-3:123456789012:execution:k3s-demo-cluster:${name}`,
  redrive,
});

export const OURS = execution('ours');
export const OURS_REDRIVEN = execution('ours', 1);
export const THEIRS = execution('theirs');

/** A lease that `OURS` holds and no other. */
export const heldByUs = (commands: Record<string, string> = {}) => ({
  require: async () => ({ holder: OURS, acquiredAt: 1000, staleSince: null, commands }),
});
