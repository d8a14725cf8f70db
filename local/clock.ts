/**
 * Time in the embedded AWS. Every delay, deadline and timestamp comes from a Clock, never from `Date` or
 * `setTimeout`, so that the same services run twenty times faster than AWS for a person and in virtual time for tests.
 * Only waiting is accelerated: what this machine computes takes as long as it takes, or a busy machine would look like
 * an AWS that does not answer in time.
 */

/** Something scheduled; cancelling twice is harmless. */
export interface Timer {
  cancel(): void;
}

/**
 * Real work in flight outside this event loop's control (a process, a worker, a socket). While a hold is busy, virtual
 * time stands still and scaled time is not accelerated. A hold that itself waits for the clock says so with `waiting`,
 * or virtual time would never move.
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
   * From which another thread derives this clock's time: Float64 [base, realStart, rate], then an Int32 that is odd while
   * they change. The time is `base + (Date.now() - realStart) * rate`.
   */
  readonly shared: SharedArrayBuffer;
  /** Cancels every timer. Pending sleeps never resolve. */
  close(): void;
}

abstract class BaseClock implements Clock {
  readonly shared = new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT);
  private readonly cell = new Float64Array(this.shared, 0, 3);
  private readonly sequence = new Int32Array(this.shared, 3 * Float64Array.BYTES_PER_ELEMENT, 1);
  private holds = 0;

  abstract now(): number;
  abstract after(ms: number, task: () => void): Timer;
  abstract close(): void;
  /** Called when the first hold becomes busy, and when the last one becomes idle. */
  protected abstract busyChanged(busy: boolean): void;

  hold(): Hold {
    let waiting = 0;
    let released = false;
    const busy = () => {
      if (++this.holds === 1) this.busyChanged(true);
    };
    const idle = () => {
      if (--this.holds === 0) this.busyChanged(false);
    };
    busy();
    return {
      waiting: async (promise) => {
        if (released) return promise;
        if (waiting++ === 0) idle();
        try {
          return await promise;
        } finally {
          if (--waiting === 0 && !released) busy();
        }
      },
      release: () => {
        if (released) return;
        released = true;
        if (waiting === 0) idle();
      },
    };
  }

  protected get busy(): boolean {
    return this.holds > 0;
  }

  protected publish(base: number, realStart: number, rate: number): void {
    Atomics.add(this.sequence, 0, 1);
    this.cell.set([base, realStart, rate]);
    Atomics.add(this.sequence, 0, 1);
  }

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

interface Entry {
  at: number;
  order: number;
  task: () => void;
}

/** AWS time in which waiting passes `scale` times faster than real time, and computing as fast as it is. */
export class ScaledClock extends BaseClock {
  private order = 0;
  private heap: Entry[] = [];
  private handle: NodeJS.Timeout | undefined;
  private start = realTime();
  private rate: number;

  constructor(
    private readonly scale: number,
    private base = Date.now(),
  ) {
    super();
    if (!(scale > 0)) throw new RangeError(`the time scale must be positive, is ${scale}`);
    this.rate = scale;
    this.publish(this.base, this.start, this.rate);
  }

  now(): number {
    return this.base + (realTime() - this.start) * this.rate;
  }

  after(ms: number, task: () => void): Timer {
    const entry: Entry = { at: this.now() + Math.max(0, ms), order: this.order++, task };
    push(this.heap, entry);
    if (this.heap[0] === entry) this.arm();
    return { cancel: () => cancel(entry) };
  }

  close(): void {
    clearTimeout(this.handle);
    this.heap = [];
  }

  protected busyChanged(busy: boolean): void {
    this.base = this.now();
    this.start = realTime();
    this.rate = busy ? Math.min(1, this.scale) : this.scale;
    this.publish(this.base, this.start, this.rate);
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.handle);
    const next = first(this.heap);
    if (next) this.handle = setTimeout(() => this.fire(), Math.max(0, (next.at - this.now()) / this.rate));
  }

  private fire(): void {
    // Node's timers may be early by less than a millisecond; what is not due yet is armed again.
    for (let next = first(this.heap); next && next.at <= this.now(); next = first(this.heap)) {
      pop(this.heap);
      next.task();
    }
    this.arm();
  }
}

/** Epoch ms with a fraction: a whole millisecond is a long time when it counts twentyfold. */
const realTime = () => performance.timeOrigin + performance.now();

/**
 * Virtual time: it moves only while somebody drives it (`until`, `advance`), and only when nothing else can run: every
 * promise that could settle has settled and every hold is idle. Timers at the same instant run in the order they were
 * set, so a run is a pure function of its seed.
 */
export class VirtualClock extends BaseClock {
  private time: number;
  private order = 0;
  private heap: Entry[] = [];
  private wakeDriver: (() => void) | undefined;
  private closed = false;

  constructor(base = Date.UTC(2026, 0, 1)) {
    super();
    this.time = base;
    this.publish(base, 0, 0);
  }

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): Timer {
    const entry: Entry = { at: this.time + Math.max(0, ms), order: this.order++, task };
    if (this.closed) return { cancel: () => {} };
    push(this.heap, entry);
    this.wakeDriver?.();
    return { cancel: () => cancel(entry) };
  }

  protected busyChanged(busy: boolean): void {
    if (!busy) this.wakeDriver?.();
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
    const turns = new Turns();
    try {
      for (;;) {
        await turns.next();
        if (done() || this.closed) return;
        if (this.busy) {
          await this.woken();
          continue;
        }
        const next = first(this.heap);
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
    this.publish(time, 0, 0);
  }
}

const CANCELLED = () => {};

/** A cancelled entry stays in the heap and is skipped: removal from the middle would cost more than it frees. */
function cancel(entry: Entry): void {
  entry.task = CANCELLED;
}

/** The earliest entry that was not cancelled. */
function first(heap: Entry[]): Entry | undefined {
  while (heap[0]?.task === CANCELLED) pop(heap);
  return heap[0];
}

/** Turns of the event loop that are asked for at once. */
const TURNS = 64;

/**
 * Turns of the event loop, before each of which every promise that can settle has settled: microtasks run to exhaustion
 * between one immediate and the next. They are asked for in bulk, because the loop looks for input and output between
 * one turn of immediates and the next, which costs more than most of the tasks that virtual time runs.
 */
class Turns {
  private asked = 0;
  private resume: (() => void) | undefined;

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.resume = resolve;
      if (this.asked > 0) return;
      this.asked = TURNS;
      for (let turn = 0; turn < TURNS; turn++) setImmediate(this.turn);
    });
  }

  private readonly turn = () => {
    this.asked--;
    const { resume } = this;
    this.resume = undefined;
    resume?.();
  };
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
