/** Decides for every service of the embedded AWS who may do what, and remembers whom it refused. */
import type { World } from '../service';
import type { Lookup } from './condition';
import { evaluate, type Verdict } from './evaluate';
import type { Need } from './need';
import type { CompiledStatement, Principal, ResourcePolicy } from './statement';

/** A request that was refused, however often. */
export interface Denial {
  /** When it was refused first, AWS time, epoch ms. */
  at: number;
  times: number;
  /** ARN, or the name of an AWS service. */
  principal: string;
  action: string;
  resource: string;
  /** As AWS words it. */
  message: string;
}

/** What is known of roles. */
export interface Roles {
  /** The statements of a role's own policies; undefined when there is no such role. */
  statementsOf(roleArn: string): readonly CompiledStatement[] | undefined;
  /** Who may assume it. */
  trustOf(roleArn: string): ResourcePolicy | undefined;
  /** The ARN of the role with a name. */
  arnOfRole(name: string): string | undefined;
}

/** An AWS service that acts for one of this account's resources. */
export interface ServiceCaller {
  /** `events.amazonaws.com`. */
  name: string;
  /** ARN of the resource that it acts for. */
  sourceArn?: string;
}

/** What services ask. */
export type Permits = Pick<Authority, 'refusal' | 'serviceRefusal' | 'assumeRefusal'>;

/** The ARN of a session of a role. */
export function sessionArn(roleArn: string, session: string): string {
  const [, account, role] = /^arn:aws:iam::(\d+):role\/(?:.*\/)?([^/]+)$/.exec(roleArn) ?? [];
  return `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
}

/** A role's statements, and those about an action, in lower case: most of them are about other actions. */
interface RoleStatements {
  all: readonly CompiledStatement[];
  byAction: Map<string, readonly CompiledStatement[]>;
}

interface Known {
  principal: Principal;
  /** Condition keys that all its requests have, in lower case. */
  context: Readonly<Record<string, string>>;
  /** Actions with their resources that were allowed, where nothing else of the request mattered. */
  allowed: Set<string>;
}

const NONE: readonly CompiledStatement[] = [];

export class Authority {
  private readonly refused = new Map<string, Denial>();
  private readonly sessions = new Map<string, Known | undefined>();
  private readonly byRole = new Map<string, RoleStatements>();

  constructor(
    private readonly world: World,
    private readonly roles: Roles,
  ) {}

  /** In the order of time. */
  get denials(): Denial[] {
    return [...this.refused.values()];
  }

  /** Policies have changed. */
  forget(): void {
    this.byRole.clear();
    this.sessions.clear();
  }

  /**
   * Why a session of a role, or the account's root user, may not; undefined: it may do all of it.
   * @param caller its ARN
   */
  refusal(caller: string, needs: readonly Need[]): string | undefined {
    const known = this.session(caller);
    for (const need of needs) {
      const verdict: Verdict = known ? this.judge(known, need) : { deniedBy: 'identity', explicit: false };
      if (verdict) return this.deny(caller, need, verdict);
    }
    return undefined;
  }

  /** Why an AWS service may not; undefined: the resource's policy lets it. */
  serviceRefusal(service: ServiceCaller, need: Need): string | undefined {
    const verdict = this.judge(this.service(service), need);
    return verdict && this.deny(service.name, need, verdict);
  }

  /** Why an AWS service may not assume a role; undefined: it may. */
  assumeRefusal(service: ServiceCaller, roleArn: string): string | undefined {
    const policy = this.roles.trustOf(roleArn) ?? { statements: [], sovereign: true };
    return this.serviceRefusal(service, { action: 'sts:AssumeRole', resource: roleArn, policy });
  }

  private judge({ principal, context, allowed }: Known, { action, resource, context: own, policy }: Need): Verdict {
    // The check of every minute asks the same again and again.
    const question = own || policy ? undefined : `${action} ${resource}`;
    if (question !== undefined && allowed.has(question)) return undefined;
    const lower = action.toLowerCase();
    const identity = principal.kind === 'role' ? this.statements(principal.roleArn, lower) : NONE;
    const request = { action: lower, resource, lookup: lookupIn(context, own) };
    const verdict = evaluate(principal, identity, policy, request);
    if (question !== undefined && verdict === undefined) allowed.add(question);
    return verdict;
  }

  private statements(roleArn: string, action: string): readonly CompiledStatement[] {
    let role = this.byRole.get(roleArn);
    if (!role) {
      role = { all: this.roles.statementsOf(roleArn) ?? NONE, byAction: new Map() };
      this.byRole.set(roleArn, role);
    }
    let found = role.byAction.get(action);
    if (!found) {
      found = role.all.filter((statement) => statement.hasAction(action));
      role.byAction.set(action, found);
    }
    return found;
  }

  private deny(principal: string, { action, resource }: Need, { deniedBy, explicit }: NonNullable<Verdict>): string {
    const on = resource === '*' ? '' : ` on resource: ${resource}`;
    const why = explicit
      ? `with an explicit deny in ${deniedBy === 'identity' ? 'an identity' : 'a resource'}-based policy`
      : `because no ${deniedBy}-based policy allows the ${action} action`;
    const message = `User: ${principal} is not authorized to perform: ${action}${on} ${why}`;
    const known = this.refused.get(message);
    if (known) known.times++;
    else {
      this.refused.set(message, { at: this.world.clock.now(), times: 1, principal, action, resource, message });
      this.world.log('access denied', { principal, action, resource });
    }
    return message;
  }

  /** Undefined for a role that does not exist. */
  private session(caller: string): Known | undefined {
    if (!this.sessions.has(caller)) this.sessions.set(caller, this.resolve(caller));
    return this.sessions.get(caller);
  }

  private resolve(caller: string): Known | undefined {
    const { account } = this.world;
    if (caller === `arn:aws:iam::${account}:root`) {
      return { principal: { kind: 'root', account, arn: caller }, context: this.context(caller), allowed: new Set() };
    }
    const { role, session } = /:assumed-role\/(?<role>[^/]+)\/(?<session>.+)$/.exec(caller)?.groups ?? {};
    const roleArn = role === undefined ? undefined : this.roles.arnOfRole(role);
    if (roleArn === undefined) return undefined;
    const context: Record<string, string> = this.context(roleArn);
    if (session?.startsWith('i-')) {
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-ec2-instance-source-arn
      const instance = `arn:aws:ec2:${this.world.region}:${account}:instance/${session}`;
      context['ec2:sourceinstancearn'] = instance;
      context['ssm:sourceinstancearn'] = instance;
    }
    return { principal: { kind: 'role', account, arn: caller, roleArn }, context, allowed: new Set() };
  }

  private service({ name, sourceArn }: ServiceCaller): Known {
    const { account } = this.world;
    const context: Record<string, string> = {
      ...this.context(undefined),
      'aws:principalservicename': name,
      'aws:sourceaccount': account,
    };
    if (sourceArn !== undefined) context['aws:sourcearn'] = sourceArn;
    return { principal: { kind: 'service', account, name }, context, allowed: new Set() };
  }

  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
  private context(principalArn: string | undefined): Record<string, string> {
    const { account, region } = this.world;
    return {
      // What is HTTP on this machine is HTTPS on AWS.
      'aws:securetransport': 'true',
      'aws:requestedregion': region,
      'aws:resourceaccount': account,
      'aws:principalisawsservice': String(principalArn === undefined),
      ...(principalArn === undefined ? {} : { 'aws:principalarn': principalArn, 'aws:principalaccount': account }),
    };
  }
}

/** Most statements have no condition and most needs no keys: names are put in lower case only when they are asked for. */
function lookupIn(base: Readonly<Record<string, string>>, own: Need['context']): Lookup {
  let lower: Map<string, string | readonly string[]> | undefined;
  return (key) => {
    if (!own) return base[key];
    lower ??= new Map(Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]));
    return lower.get(key) ?? base[key];
  };
}
