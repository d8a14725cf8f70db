/** The events of an execution, as GetExecutionHistory returns them. */
import type { Clock } from '../clock';
import { StatesError } from './errors';
import type { Json } from './json';

/** Details lie under the member that AWS names for the event's type, `taskScheduledEventDetails` and so on. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  type: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
  details: Record<string, Record<string, unknown>>;
}

/** An execution fails when its history is full (Step Functions service quotas). */
export const HISTORY_LIMIT = 25_000;

/** Where one line of work stands in the history: each branch continues from its own last event. */
export class Trail {
  constructor(public last = 0) {}

  fork(): Trail {
    return new Trail(this.last);
  }
}

export class History {
  private count = 0;

  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly listener: (event: HistoryEvent) => void,
  ) {}

  /**
   * Appends an event and moves the trail to it.
   * @throws StatesError States.Runtime when the history is full; the closing events still fit.
   */
  record(trail: Trail, type: string, details: HistoryEvent['details'] = {}): number {
    if (this.count >= HISTORY_LIMIT - 1 && !/^Execution|Aborted$/.test(type))
      throw new StatesError(
        'States.Runtime',
        `The execution reached the maximum number of history events (${HISTORY_LIMIT}).`,
      );
    const id = ++this.count;
    const event = { id, previousEventId: trail.last, type, timestamp: this.clock.now(), details };
    trail.last = id;
    this.listener(event);
    return id;
  }
}

/** Data in an event; `truncated` is always false, because the payload limit is below AWS's cut. */
export const data = (name: 'input' | 'output', value: Json) => ({
  [name]: JSON.stringify(value),
  [`${name}Details`]: { truncated: false },
});

/** `error` and `cause` where they exist. */
export const reason = ({ error, cause }: { error?: string; cause?: string }) => ({
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});
