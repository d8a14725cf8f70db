type Rule = (from: string, to: string) => boolean;

/** Who reaches whom: everybody, but for the rules that block. */
export class Reachability {
  private readonly rules = new Set<Rule>();

  /** `changed` is called when less is reachable than before. */
  constructor(private readonly changed: () => void = () => {}) {}

  reachable(from: string, to: string): boolean {
    for (const rule of this.rules) if (rule(from, to)) return false;
    return true;
  }

  block(rule: Rule): () => void {
    // The same rule may be added twice; each addition has its own removal.
    const own: Rule = (from, to) => rule(from, to);
    this.rules.add(own);
    this.changed();
    return () => this.rules.delete(own);
  }
}
