/** An execution's name as people tell it from others: that of one from the console is a UUID. */
export const shortName = (name: string): string => name.replace(/^([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, '$1');

/** What happened in a life, in words and in order: the same text for the same seed. */
export class Journal {
  readonly lines: string[] = [];
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly begun = now(),
  ) {}

  /** Hours, minutes and seconds since the life began. */
  get time(): string {
    const seconds = Math.floor((this.now() - this.begun) / 1000);
    const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
    return `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  }

  /**
   * @param who one word: `fault`, `person`, `healer`, `workflow`, `ec2`, `etcd`, `mail`
   * @param at before which line, for a cause that is known after its first effects; the last one unless given
   */
  note(who: string, what: string, at = this.lines.length): void {
    this.lines.splice(at, 0, `${this.time}  ${who.padEnd(8)}  ${what.replaceAll('\n', ' ')}`);
  }

  /** Counts something for the tables. */
  count(table: 'faults' | 'decisions', what: string): void {
    const key = `${table}/${what}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  table(name: 'faults' | 'decisions'): Record<string, number> {
    const prefix = `${name}/`;
    const rows = [...this.counts].filter(([key]) => key.startsWith(prefix));
    return Object.fromEntries(rows.map(([key, count]): [string, number] => [key.slice(prefix.length), count]).sort());
  }
}
