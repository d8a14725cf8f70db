/** Faults that a person or a test injects into the embedded AWS. Nothing here is random by itself. */
import type { LatencyName } from './latency';

/** What an API fault does to a call that matches. */
export type ApiFault =
  | { kind: 'throttle' }
  | { kind: 'error'; code: string; message: string; status: number }
  /** The effect happens, the caller sees a broken connection. */
  | { kind: 'lost-reply' }
  /** Nothing answers and nothing happens, until the caller gives up after so long, ms. */
  | { kind: 'timeout'; afterMs: number };

interface ApiRule {
  /** `ec2`, `ssm`, …; `*` for any. */
  service: string;
  /** An operation name; `*` for any. */
  operation: string;
  fault: ApiFault;
  /** Calls left to hit; infinite unless said. */
  times: number;
  /** Narrows the rule to calls whose input satisfies it. */
  when: (input: unknown) => boolean;
}

/** Whose delay a name of the latency profile is, where its first word does not say so. */
const OWNERS: Record<string, string> = { elb: 'elasticloadbalancing', download: 'k3s', image: 'k3s', pod: 'k3s' };

interface ProgramRule {
  /** `k3s`, `aws`, `curl`, …; `*` for any. */
  program: string;
  when: () => boolean;
}

interface Slowdown {
  /** `ec2`, `ssm`, …, or `k3s` for what happens on the machines; `*` for everything. */
  service: string;
  factor: number;
}

export class Faults {
  private rules: ApiRule[] = [];
  private slowdowns: Slowdown[] = [];
  private programs: ProgramRule[] = [];

  /** From now on a program that a script calls on a machine fails, when it is `when`; returns its removal. */
  onProgram(program: string, when: () => boolean = () => true): () => void {
    const rule: ProgramRule = { program, when };
    this.programs.push(rule);
    return () => {
      this.programs = this.programs.filter((other) => other !== rule);
    };
  }

  /** Whether this call of a program fails. */
  fails(program: string): boolean {
    return this.programs.some((rule) => (rule.program === '*' || rule.program === program) && rule.when());
  }

  /** Adds a rule for API calls; returns its removal. */
  onCall(
    service: string,
    operation: string,
    fault: ApiFault,
    {
      times = Number.POSITIVE_INFINITY,
      when = () => true as boolean,
    }: { times?: number; when?: (input: unknown) => boolean } = {},
  ): () => void {
    const rule: ApiRule = { service, operation, fault, times, when };
    this.rules.push(rule);
    return () => {
      this.rules = this.rules.filter((other) => other !== rule);
    };
  }

  /** The fault that hits this call, if any; counts it. */
  take(service: string, operation: string, input: unknown): ApiFault | undefined {
    const rule = this.rules.find(
      (candidate) =>
        candidate.times > 0 &&
        (candidate.service === '*' || candidate.service === service) &&
        (candidate.operation === '*' || candidate.operation === operation) &&
        candidate.when(input),
    );
    if (!rule) return undefined;
    rule.times--;
    return rule.fault;
  }

  /** Makes everything that a service (`*`: any) does take `factor` times as long; returns its removal. */
  slow(service: string, factor: number): () => void {
    const slowdown: Slowdown = { service, factor };
    this.slowdowns.push(slowdown);
    return () => {
      this.slowdowns = this.slowdowns.filter((other) => other !== slowdown);
    };
  }

  /** How many times as long as usual a delay is now. `service`: whose call it is part of, if of one. */
  slowness(name: LatencyName, service?: string): number {
    if (this.slowdowns.length === 0) return 1;
    const [prefix = ''] = name.split('.', 1);
    const owner = service ?? OWNERS[prefix] ?? prefix;
    const hit = this.slowdowns.filter((slowdown) => slowdown.service === '*' || slowdown.service === owner);
    return hit.reduce((product, { factor }) => product * factor, 1);
  }

  clear(): void {
    this.rules = [];
    this.slowdowns = [];
    this.programs = [];
  }
}
