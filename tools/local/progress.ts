/** Turns the history of an execution into the lines that a person watches. Pure: history events in, rows out. */

/** As GetExecutionHistory has it: details lie under the member that AWS names for the event's type. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  type: string;
  /** Epoch ms. */
  timestamp: number;
  details: Record<string, Record<string, unknown>>;
}

export interface Row {
  stage: Stage;
  /** `server-1`, or empty for a stage of the whole cluster. */
  subject: string;
  text: string;
  /** Epoch ms. */
  startedAt: number;
  endedAt: number | null;
  state: 'running' | 'done' | 'failed';
}

const STAGES = [
  'lease',
  'assess',
  'launch',
  'retire',
  'init',
  'join',
  'register',
  'apply',
  'targets',
  'delete',
  'release',
] as const;
export type Stage = (typeof STAGES)[number];

interface Step {
  stage: Stage;
  /** What happens while the state runs. */
  doing: string;
  /** What is true after it, from the answer's payload; absent: the stage goes on in the next state. */
  done?: (answer: Record<string, unknown>) => string;
}

const TERMINATING = { doing: 'terminating, waiting until it is gone' };

/** By state name. A state that is not listed (choices, waits) shows nothing. */
const STEPS: Record<string, Step> = {
  AcquireLease: { stage: 'lease', doing: 'acquiring', done: ({ status, message }) => String(message ?? status) },
  AssessCluster: { stage: 'assess', doing: 'observing', done: ({ reason }) => String(reason) },
  LaunchServer: { stage: 'launch', doing: 'launching' },
  AwaitRunning: {
    stage: 'launch',
    doing: 'waiting until it runs',
    done: ({ availabilityZone, instanceId }) => `${availabilityZone ?? ''} ${instanceId}`.trim(),
  },
  DeregisterTargets: { stage: 'retire', doing: 'leaving the load balancer' },
  TerminateServer: { stage: 'retire', ...TERMINATING },
  AwaitTerminated: { stage: 'retire', ...TERMINATING },
  RemoveMember: { stage: 'retire', doing: 'removing its etcd member and Node' },
  CheckRemoveMember: { stage: 'retire', doing: 'removing its etcd member and Node' },
  ForgetServer: { stage: 'retire', doing: 'closing the inventory', done: () => 'terminated and removed' },
  BeginInit: { stage: 'init', doing: 'waiting for the first SSM agent' },
  StartServerInit: { stage: 'init', doing: 'waiting for its SSM agent' },
  CheckStartServerInit: { stage: 'init', doing: 'K3s starts the cluster' },
  CompleteInit: { stage: 'init', doing: 'latching the cluster', done: () => 'the first etcd voter' },
  StartServer: { stage: 'join', doing: 'waiting for its SSM agent' },
  CheckStartServer: { stage: 'join', doing: 'learner, waiting for promotion', done: () => 'Ready, an etcd voter' },
  RegisterTargets: {
    stage: 'register',
    doing: 'registering',
    done: ({ targetGroups }) => `with ${targetGroups} target groups`,
  },
  ApplyManifests: { stage: 'apply', doing: 'sending' },
  CheckApplyManifests: {
    stage: 'apply',
    doing: 'applying',
    done: ({ applied, pruned }) => `${applied} objects applied${Number(pruned) > 0 ? `, ${pruned} deleted` : ''}`,
  },
  AwaitTargets: {
    stage: 'targets',
    doing: 'waiting until every server receives traffic',
    done: () => 'every server receives traffic',
  },
  MarkAbsent: {
    stage: 'delete',
    doing: 'recording that the cluster is not wanted',
    done: () => 'recorded as not wanted',
  },
  ListServers: { stage: 'delete', doing: 'listing servers' },
  CompleteDeletion: { stage: 'delete', doing: 'looking for leftovers', done: () => 'nothing is left' },
  ReleaseLease: { stage: 'release', doing: 'releasing', done: () => 'released' },
  ReleaseLeaseAfterFailure: { stage: 'release', doing: 'releasing after a failure', done: () => 'released' },
};

/** The stages that are about one server; the others are about the cluster as a whole. */
const PER_SERVER: ReadonlySet<Stage> = new Set(['launch', 'retire', 'init', 'join', 'register']);

/** The stages in which one server at a time is busy, and that may begin before it is known which: they have one row. */
const ONE_SERVER: ReadonlySet<Stage> = new Set(['init']);

/** Where one line of work stands: the state it is in, and the server it is about. */
interface Position {
  step: Step | null;
  slot: number | null;
}

export class Progress {
  readonly rows: Row[] = [];
  private readonly positions = new Map<number, Position>();

  /** Takes the next event; returns the rows that it has changed. */
  take(event: HistoryEvent): Row[] {
    const before = this.positions.get(event.previousEventId) ?? { step: null, slot: null };
    const position = { ...before };
    this.positions.set(event.id, position);
    const entered = event.details.stateEnteredEventDetails;
    if (entered) {
      position.step = STEPS[String(entered.name)] ?? null;
      // Never the slot of what came before: that may have been about another server.
      position.slot = slotOf(parse(entered.input));
      return position.step ? [this.begin(position.step, position.slot, event.timestamp)] : [];
    }
    if (!position.step) return [];
    const row = this.current(position.step.stage, position.slot);
    if (!row) return [];
    if (event.type === 'TaskSucceeded') {
      const payload = payloadOf(event.details.taskSucceededEventDetails?.output);
      if (!position.step.done) return [];
      row.text = position.step.done(payload);
      row.state = 'done';
      row.endedAt = event.timestamp;
      return [row];
    }
    return [];
  }

  /** The execution has ended: whatever still runs has not finished. */
  end(at: number): Row[] {
    const open = this.rows.filter((row) => row.state === 'running');
    for (const row of open) {
      row.state = 'failed';
      row.endedAt = at;
    }
    return open;
  }

  private begin(step: Step, slot: number | null, at: number): Row {
    const open = this.current(step.stage, slot);
    if (open) {
      open.text = step.doing;
      open.subject = subjectOf(step.stage, slot);
      return open;
    }
    const row: Row = {
      stage: step.stage,
      subject: subjectOf(step.stage, slot),
      text: step.doing,
      startedAt: at,
      endedAt: null,
      state: 'running',
    };
    this.rows.push(row);
    return row;
  }

  private current(stage: Stage, slot: number | null): Row | undefined {
    return this.rows.find(
      (row) =>
        row.state === 'running' &&
        row.stage === stage &&
        (ONE_SERVER.has(stage) || row.subject === subjectOf(stage, slot)),
    );
  }
}

const subjectOf = (stage: Stage, slot: number | null) =>
  slot === null || !PER_SERVER.has(stage) ? '' : `server-${slot}`;

function parse(text: unknown): Record<string, unknown> {
  if (typeof text !== 'string') return {};
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A Lambda task's own answer. */
function payloadOf(output: unknown): Record<string, unknown> {
  const { Payload } = parse(output);
  return typeof Payload === 'object' && Payload !== null ? { ...Payload } : {};
}

const slotOf = ({ slot }: Record<string, unknown>) => (typeof slot === 'number' ? slot : null);
