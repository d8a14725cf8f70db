/** Shows rows of progress: redrawn in place on a terminal, one plain line per finished row elsewhere. */
import type { Row } from './progress';

export interface Screen {
  /** Shows what has changed; `now` is AWS time, epoch ms. */
  show(rows: readonly Row[], changed: readonly Row[], now: number): void;
  /** Leaves the rows as they are; what is printed later comes below them. */
  finish(rows: readonly Row[], now: number): void;
}

const SYMBOL = { running: '·', done: '✔', failed: '✘' } as const;
/** Columns of `server-0`; rows about the whole cluster leave them empty. */
const SUBJECT = 8;
const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

/** Minutes and seconds above a minute, seconds below. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The stage's name stands only on the first of its rows. */
export function line(row: Row, previous: Row | undefined, now: number, symbol: string, width: number): string {
  const stage = previous?.stage === row.stage ? '' : row.stage;
  const time = duration((row.endedAt ?? now) - row.startedAt);
  const left = `  ${stage ? symbol : ' '} ${stage.padEnd(9)}${row.subject.padEnd(SUBJECT)}  `;
  const room = Math.max(10, width - left.length - time.length - 3);
  const text = row.text.length > room ? `${row.text.slice(0, room - 1)}…` : row.text;
  return `${left}${text.padEnd(Math.min(room, 56))}  ${time}`;
}

export function createScreen(output: NodeJS.WriteStream): Screen {
  return output.isTTY ? new Terminal(output) : new Lines(output);
}

class Lines implements Screen {
  private last: Row | undefined;

  constructor(private readonly output: NodeJS.WritableStream) {}

  show(_rows: readonly Row[], changed: readonly Row[], now: number): void {
    for (const row of changed.filter(({ state }) => state !== 'running')) {
      const symbol = SYMBOL[row.state];
      this.output.write(`${line(row, undefined, now, symbol, 160)}\n`);
      this.last = row;
    }
  }

  finish(): void {
    if (this.last) this.output.write('\n');
  }
}

class Terminal implements Screen {
  private drawn = 0;
  private turn = 0;

  constructor(private readonly output: NodeJS.WriteStream) {}

  show(rows: readonly Row[], _changed: readonly Row[], now: number): void {
    const spinner = SPINNER[this.turn++ % SPINNER.length]!;
    // Rows that do not fit on the screen cannot be redrawn: the oldest have finished long ago.
    const visible = grouped(rows).slice(-(this.output.rows - 3));
    const lines = visible.map((row, index) => {
      const siblings = visible.filter(({ stage }) => stage === row.stage);
      const state = siblings.find(({ state }) => state !== 'done')?.state ?? 'done';
      return line(row, visible[index - 1], now, state === 'running' ? spinner : SYMBOL[state], this.output.columns);
    });
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A` : '';
    this.output.write(`${up}${lines.map((text) => `\x1b[2K${text}\n`).join('')}\x1b[J`);
    this.drawn = lines.length;
  }

  finish(rows: readonly Row[], now: number): void {
    this.show(rows, [], now);
    this.drawn = 0;
    this.output.write('\n');
  }
}

/** Rows of one stage stand together, in the order in which their stage began, by server. */
export function grouped(rows: readonly Row[]): Row[] {
  const stages = [...new Set(rows.map(({ stage }) => stage))];
  return stages.flatMap((stage) =>
    rows.filter((row) => row.stage === stage).sort((a, b) => a.subject.localeCompare(b.subject)),
  );
}
