/** How far a long computation is: a bar drawn over itself on a terminal, elsewhere a line now and then. */
import { duration } from './local/screen';

const BAR = 20;
/** Elsewhere than on a terminal. */
const LINES = 20;

export class Progress {
  private readonly begun = performance.now();
  private done = 0;

  /** @param what is counted, in the plural */
  constructor(
    private readonly total: number,
    private readonly what: string,
    private readonly output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
  ) {}

  /** One more is done. The remark ends the line. */
  advance(remark = ''): void {
    this.done++;
    const { total, done, output } = this;
    const filled = Math.round((done / total) * BAR);
    const left = done < total ? `, ${duration((this.elapsed / done) * (total - done))} left` : '';
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
    const line = `${bar} ${done}/${total} ${this.what}, ${this.rate} per second${left}${remark}`;
    if (output.isTTY) output.write(`\r\x1b[K${line}`);
    else if (done === total || done % Math.ceil(total / LINES) === 0) output.write(`${line}\n`);
  }

  /** A line that stays, above the bar. */
  tell(line: string): void {
    this.output.write(`${this.output.isTTY ? '\r\x1b[K' : ''}${line}\n`);
  }

  /** What is printed later comes below the bar. */
  end(): void {
    if (this.output.isTTY) this.output.write('\n');
  }

  /** So many per second until now. */
  get rate(): string {
    return (this.done / (this.elapsed / 1000)).toFixed(2);
  }

  private get elapsed(): number {
    return performance.now() - this.begun;
  }
}
