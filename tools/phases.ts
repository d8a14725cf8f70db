/**
 * The phases of a creation and of a replacement, by the names of `npm run bench`, as an execution's history tells them:
 * a phase is over when the workflow saw it, which is up to a polling interval after it was.
 */

/** An execution entered or left a state. */
export interface Step {
  /** Epoch ms. */
  at: number;
  state: string;
  edge: 'entered' | 'left';
  /** JSON text, of a state that was entered. */
  input?: string;
}

export interface Run {
  execution: string;
  /** Epoch ms. */
  startedAt: number;
  stoppedAt: number;
  steps: readonly Step[];
}

export type Kind = 'creation' | 'replacementTerminated' | 'replacementHang';

/** What Step Functions tells of an event, as far as it is told here. */
interface Details {
  stateEnteredEventDetails?: { name?: unknown; input?: unknown };
  stateExitedEventDetails?: { name?: unknown };
}

/**
 * None, unless the event is that a state was entered or left.
 * @param at epoch ms
 */
export function stepsOf(
  at: number,
  { stateEnteredEventDetails: entry, stateExitedEventDetails: exit }: Details,
): Step[] {
  if (typeof entry?.name === 'string') {
    return [
      { at, state: entry.name, edge: 'entered', input: typeof entry.input === 'string' ? entry.input : undefined },
    ];
  }
  return typeof exit?.name === 'string' ? [{ at, state: exit.name, edge: 'left' }] : [];
}

type Moment = (run: Run) => number | undefined;

const entered =
  (...states: string[]): Moment =>
  ({ steps }) =>
    steps.find(({ state, edge }) => edge === 'entered' && states.includes(state))?.at;
const left =
  (...states: string[]): Moment =>
  ({ steps }) =>
    steps.findLast(({ state, edge }) => edge === 'left' && states.includes(state))?.at;
const finished: Moment = ({ stoppedAt }) => stoppedAt;

const CREATION: Record<string, Moment> = {
  running: left('AwaitRunning'),
  'first server': left('CheckStartServerInit'),
  voters: left('CheckStartServerInit', 'CheckStartServer'),
  applied: left('CheckApplyManifests'),
  serving: left('AwaitTargets'),
  finished,
};

const REPLACEMENT: Record<string, Moment> = {
  noticed: entered('AcquireLease'),
  running: left('AwaitRunning'),
  fenced: left('AwaitTerminated'),
  removed: left('ForgetServer'),
  voters: left('CheckStartServer'),
  serving: left('AwaitTargets'),
  finished,
};

const PHASES: Record<Kind, Record<string, Moment>> = {
  creation: CREATION,
  replacementTerminated: REPLACEMENT,
  replacementHang: REPLACEMENT,
};

/** What an execution did; undefined: neither, such as a check of a healthy cluster. */
export function kindOf(run: Run): Kind | undefined {
  if (left('CompleteInit')(run) !== undefined) return 'creation';
  const retired = run.steps.filter(({ state, edge }) => state === 'TerminateServer' && edge === 'entered');
  if (retired.some(({ input = '' }) => input.includes('"kind":"gone"'))) return 'replacementTerminated';
  if (retired.some(({ input = '' }) => input.includes('"kind":"sick"'))) return 'replacementHang';
  return undefined;
}

/** The phases of an execution that skips none, in their order. */
export const phaseNames = (kind: Kind): string[] => Object.keys(PHASES[kind]);

/** Milliseconds from `begin` to the end of each phase; one that the execution skipped is absent. */
export function phasesOf(run: Run, kind: Kind, begin: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [phase, moment] of Object.entries(PHASES[kind])) {
    const at = moment(run);
    if (at !== undefined) found[phase] = at - begin;
  }
  return found;
}
