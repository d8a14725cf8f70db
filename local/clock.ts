/**
 * Time in the embedded AWS. Every delay, deadline and timestamp comes from a Clock, never from `Date` or
 * `setTimeout`, so that the same services run twenty times faster than AWS for a person and in virtual time for tests.
 */

/** Something scheduled; cancelling twice is harmless. */
export interface Timer {
  cancel(): void;
}

/**
 * Real work in flight outside this event loop's control (a process, a worker, a socket). Virtual time stands still
 * while a hold is busy. A hold that itself waits for the clock says so with `waiting`, or time would never move.
 */
export interface Hold {
  /** Marks the hold as idle while `promise` is pending. */
  waiting<T>(promise: Promise<T>): Promise<T>;
  release(): void;
}

export interface Clock {
  /** AWS time, milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` of AWS time; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `task` once after `ms` of AWS time. */
  after(ms: number, task: () => void): Timer;
  /** Calls `task` every `ms` of AWS time, first after `ms`. */
  every(ms: number, task: () => void): Timer;
  hold(): Hold;
  /**
   * Float64 [base, realStart, scale] from which another thread derives this clock's time:
   * `base + (Date.now() - realStart) * scale`.
   */
  readonly shared: SharedArrayBuffer;
  /** Cancels every timer. Pending sleeps never resolve. */
  close(): void;
}

abstract class BaseClock implements Clock {
  readonly shared = new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT);
  protected readonly cell = new Float64Array(this.shared);

  abstract now(): number;
  abstract after(ms: number, task: () => void): Timer;
  abstract hold(): Hold;
  abstract close(): void;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  every(ms: number, task: () => void): Timer {
    if (!(ms > 0)) throw new RangeError(`an interval must be positive, is ${ms}`);
    let cancelled = false;
    let timer: Timer;
    const arm = () => {
      timer = this.after(ms, () => {
        task();
        if (!cancelled) arm();
      });
    };
    arm();
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }
}

const FREE_HOLD: Hold = { waiting: (promise) => promise, release: () => {} };

/** AWS time running `scale` times faster than real time. */
export class ScaledClock extends BaseClock {
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly start = Date.now();

  constructor(
    private readonly scale: number,
    private readonly base = Date.now(),
  ) {
    super();
    if (!(scale > 0)) throw new RangeError(`the time scale must be positive, is ${scale}`);
    this.cell.set([base, this.start, scale]);
  }

  now(): number {
    return this.base + (Date.now() - this.start) * this.scale;
  }

  after(ms: number, task: () => void): Timer {
    const handle = setTimeout(
      () => {
        this.timers.delete(handle);
        task();
      },
      Math.max(0, ms / this.scale),
    );
    this.timers.add(handle);
    return {
      cancel: () => {
        clearTimeout(handle);
        this.timers.delete(handle);
      },
    };
  }

  hold(): Hold {
    return FREE_HOLD;
  }

  close(): void {
    for (const handle of this.timers) clearTimeout(handle);
    this.timers.clear();
  }
}

interface Entry {
  at: number;
  order: number;
  task: () => void;
}

/**
 * Virtual time: it moves only while somebody drives it (`until`, `advance`), and only when nothing else can run: every
 * promise that could settle has settled and every hold is idle. Timers at the same instant run in the order they were
 * set, so a run is a pure function of its seed.
 */
export class VirtualClock extends BaseClock {
  private time: number;
  private order = 0;
  private heap: Entry[] = [];
  private busy = 0;
  private wakeDriver: (() => void) | undefined;
  private closed = false;

  constructor(base = Date.UTC(2026, 0, 1)) {
    super();
    this.time = base;
    this.cell.set([base, 0, 0]);
  }

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): Timer {
    const entry: Entry = { at: this.time + Math.max(0, ms), order: this.order++, task };
    if (this.closed) return { cancel: () => {} };
    push(this.heap, entry);
    this.wakeDriver?.();
    return {
      // A cancelled entry stays in the heap and is skipped: removal from the middle would cost more than it frees.
      cancel: () => {
        entry.task = CANCELLED;
      },
    };
  }

  hold(): Hold {
    let waiting = 0;
    let released = false;
    this.busy++;
    const idle = () => {
      if (--this.busy === 0) this.wakeDriver?.();
    };
    return {
      waiting: async (promise) => {
        if (released) return promise;
        if (waiting++ === 0) idle();
        try {
          return await promise;
        } finally {
          if (--waiting === 0 && !released) this.busy++;
        }
      },
      release: () => {
        if (released) return;
        released = true;
        if (waiting === 0) idle();
      },
    };
  }

  /** Lets time pass until `promise` settles, and returns its value. Fails when nothing is left that could settle it. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = promise.finally(() => {
      settled = true;
      this.wakeDriver?.();
    });
    done.catch(() => {});
    await this.drive(() => settled, Number.POSITIVE_INFINITY);
    return done;
  }

  /** Lets exactly `ms` of AWS time pass. */
  async advance(ms: number): Promise<void> {
    const deadline = this.time + ms;
    await this.drive(() => false, deadline);
    this.set(deadline);
  }

  close(): void {
    this.closed = true;
    this.heap = [];
    this.wakeDriver?.();
  }

  private async drive(done: () => boolean, deadline: number): Promise<void> {
    if (this.wakeDriver) throw new Error('the virtual clock is already being driven');
    this.wakeDriver = () => {};
    try {
      for (;;) {
        await settle();
        if (done() || this.closed) return;
        if (this.busy > 0) {
          await this.woken();
          continue;
        }
        while (this.heap[0]?.task === CANCELLED) pop(this.heap);
        const next = this.heap[0];
        if (!next || next.at > deadline) {
          if (next || deadline !== Number.POSITIVE_INFINITY) return;
          throw new Error('virtual time cannot move: nothing is scheduled and the awaited promise has not settled');
        }
        pop(this.heap);
        this.set(next.at);
        next.task();
      }
    } finally {
      this.wakeDriver = undefined;
    }
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeDriver = () => {
        this.wakeDriver = () => {};
        resolve();
      };
    });
  }

  private set(time: number): void {
    this.time = time;
    this.cell[0] = time;
  }
}

const CANCELLED = () => {};

/** Lets every promise that can settle settle: microtasks run to exhaustion before the next macrotask. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const before = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let child = heap.length;
  heap.push(entry);
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!before(entry, heap[parent]!)) break;
    heap[child] = heap[parent]!;
    child = parent;
  }
  heap[child] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[parent] = heap[child]!;
    parent = child;
  }
  heap[parent] = last;
}
