/** Statements compiled for being asked again and again. */
import { type Condition, compileCondition, type Lookup } from './condition';
import { compileGlob, type Matches } from './glob';
import type { PolicyDocument, Statement } from './policy';

type Principals = NonNullable<Statement['Principal']>;

/** Who asks: a role's session, an AWS service for one of its resources, or the account's root user. */
export type Principal =
  | { kind: 'role'; account: string; arn: string; roleArn: string }
  | { kind: 'service'; account: string; name: string }
  | { kind: 'root'; account: string; arn: string };

/** How a statement of a resource policy concerns a principal: itself, or as one of its account. */
type Concern = 'itself' | 'account' | undefined;

export class CompiledStatement {
  readonly allows: boolean;
  /** Which of its actions and resources have allowed something: action × resource. */
  private readonly used: Uint8Array;
  private readonly actions: readonly Matches[];
  private readonly resources: readonly Matches[];
  private readonly condition: Condition | undefined;

  /** @throws Error for an element that is not modelled */
  constructor(readonly source: Statement) {
    const { Effect, Action, NotAction, Resource, NotResource, Condition } = source;
    this.allows = Effect === 'Allow';
    // Names of actions are compared without regard to case.
    this.actions = (Action ?? NotAction ?? []).map((pattern) => compileGlob(pattern.toLowerCase()));
    // A trust policy has no resource: it is about the role that it belongs to.
    this.resources = (Resource ?? NotResource ?? ['*']).map(compileGlob);
    this.condition = Condition && compileCondition(Condition);
    this.used = new Uint8Array(this.actions.length * this.resources.length);
  }

  /** @param action in lower case */
  hasAction(action: string): boolean {
    return this.actions.some((matches) => matches(action)) === (this.source.Action !== undefined);
  }

  /** Whether it applies to a request; its principal is not looked at. `action` is in lower case. */
  applies(action: string, resource: string, lookup: Lookup): boolean {
    return this.hasAction(action) && this.hasResource(resource) && (this.condition?.(lookup) ?? true);
  }

  /** Remembers that it has allowed a request that it applies to. */
  markUsed(action: string, resource: string): void {
    const { Action, Resource } = this.source;
    if (!Action || !Resource) {
      this.used.fill(1);
      return;
    }
    for (const [a, matchesAction] of this.actions.entries()) {
      if (!matchesAction(action)) continue;
      for (const [r, matchesResource] of this.resources.entries()) {
        if (matchesResource(resource)) this.used[a * this.resources.length + r] = 1;
      }
    }
  }

  /** Each action on each resource that it grants, and whether that was ever used. */
  grants(): { action: string; resource: string; used: boolean }[] {
    const { Action, NotAction, Resource, NotResource } = this.source;
    const actions = Action ?? NotAction!.map((action) => `not ${action}`);
    const resources = Resource ?? NotResource?.map((resource) => `not ${resource}`) ?? ['*'];
    return actions.flatMap((action, a) =>
      resources.map((resource, r) => ({ action, resource, used: this.used[a * resources.length + r] === 1 })),
    );
  }

  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
  concerns(principal: Principal): Concern {
    const { Principal: named, NotPrincipal } = this.source;
    if (NotPrincipal) return concern(NotPrincipal, principal) ? undefined : 'itself';
    return named && concern(named, principal);
  }

  private hasResource(resource: string): boolean {
    return this.resources.some((matches) => matches(resource)) === (this.source.NotResource === undefined);
  }
}

function concern({ AWS = [], Service = [] }: Principals, principal: Principal): Concern {
  if (AWS.includes('*')) return 'itself';
  if (principal.kind === 'service') return Service.includes(principal.name) ? 'itself' : undefined;
  const own = principal.kind === 'role' ? [principal.arn, principal.roleArn] : [];
  if (AWS.some((name) => own.includes(name))) return 'itself';
  const account = [principal.account, `arn:aws:iam::${principal.account}:root`];
  if (!AWS.some((name) => account.includes(name))) return undefined;
  return principal.kind === 'root' ? 'itself' : 'account';
}

/** The policy of a resource. */
export interface ResourcePolicy {
  readonly statements: readonly CompiledStatement[];
  /** True for keys and roles: a caller's own policies count only when this policy allows its account to decide. */
  readonly sovereign?: boolean;
}

/** @throws Error for an element that is not modelled, or does not make sense */
export function compilePolicy({ Statement: statements }: PolicyDocument): readonly CompiledStatement[] {
  return statements.map((statement) => new CompiledStatement(statement));
}
