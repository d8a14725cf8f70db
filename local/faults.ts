/** Faults that a person or a test injects into the embedded AWS. Nothing here is random by itself. */

/** What an API fault does to a call that matches. */
export type ApiFault =
  | { kind: 'throttle' }
  | { kind: 'error'; code: string; message: string; status: number }
  /** The effect happens, the caller sees a broken connection. */
  | { kind: 'lost-reply' };

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

export class Faults {
  private rules: ApiRule[] = [];

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

  clear(): void {
    this.rules = [];
  }
}
