/** Lines that scroll, above one line at the bottom that stays and changes; only the lines where there is no terminal. */
export class Board {
  private bottom = '';

  constructor(private readonly output: NodeJS.WriteStream) {}

  /** Columns there are; no limit where there is no terminal. */
  get width(): number {
    return this.output.isTTY ? this.output.columns : Number.POSITIVE_INFINITY;
  }

  /** Prints text, of one line or more, above the bottom line. */
  print(text: string): void {
    if (!this.output.isTTY) this.output.write(`${text}\n`);
    else this.output.write(`\r\x1b[2K${text}\n${this.bottom}`);
  }

  /** Changes the bottom line. */
  show(text: string): void {
    if (!this.output.isTTY) return;
    // A line that wraps could not be erased.
    const cut = text.slice(0, Math.max(0, this.output.columns - 1));
    if (cut === this.bottom) return;
    this.bottom = cut;
    this.output.write(`\r\x1b[2K${cut}`);
  }

  /** Takes the bottom line away. */
  close(): void {
    if (this.output.isTTY && this.bottom !== '') this.output.write('\r\x1b[2K');
    this.bottom = '';
  }
}
