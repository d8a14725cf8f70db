/**
 * The physical names that are fixed, all derived from the cluster name, so that two clusters in one account and region
 * cannot collide. Everything else gets its name from CloudFormation.
 */
export interface Names {
  readonly stack: string;
  readonly stateMachine: string;
  readonly deleteStateMachine: string;
  /** SSM documents are `<prefix><Script>`. */
  readonly documentPrefix: string;
  readonly loadBalancer: string;
  readonly topic: string;
  readonly dashboard: string;
  targetGroup(stem: 'http' | 'https' | 'api'): string;
  lambda(step: string): string;
  alarm(what: string): string;
  rule(what: string): string;
}

/** @param cluster a valid cluster name (3 to 22 characters: a target group's name has at most 32). */
export function namesOf(cluster: string): Names {
  const base = `k3s-${cluster}`;
  return {
    stack: base,
    stateMachine: base,
    deleteStateMachine: `${base}-delete`,
    documentPrefix: `${base}-`,
    loadBalancer: base,
    topic: `${base}-alerts`,
    dashboard: base,
    targetGroup: (stem) => `${base}-${stem}`,
    lambda: (step) => `${base}-${step}`,
    alarm: (what) => `${base}-${what}`,
    rule: (what) => `${base}-${what}`,
  };
}

/** `launch-server` → `LaunchServer`: folder, construct, workflow state and substitution are one stem. */
export function pascal(kebab: string): string {
  return kebab
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
