/** What a call needs to be allowed. */
import type { ResourcePolicy } from './statement';

/** Condition keys of a request beside those that every request has, as AWS spells them. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

/** One action on one resource. A call is allowed when everything that it needs is. */
export interface Need {
  /** `ec2:RunInstances`. */
  action: string;
  /** ARN; `*` for an action that takes no resource. */
  resource: string;
  context?: Context;
  /** The policy of the resource itself, when it has one. */
  policy?: ResourcePolicy | undefined;
}
