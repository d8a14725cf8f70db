/**
 * Whether a request is allowed, within one account and without organizations, boundaries and session policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import type { Lookup } from './condition';
import type { CompiledStatement, Principal, ResourcePolicy } from './statement';

export interface Request {
  /** In lower case. */
  action: string;
  resource: string;
  lookup: Lookup;
}

/** Undefined: allowed. Otherwise why not, in the words of AWS' messages, less the action's name. */
export type Verdict = undefined | { deniedBy: 'identity' | 'resource'; explicit: boolean };

/** @param identity the statements of the principal's own policies about the action */
export function evaluate(
  principal: Principal,
  identity: readonly CompiledStatement[],
  policy: ResourcePolicy | undefined,
  { action, resource, lookup }: Request,
): Verdict {
  let own: CompiledStatement | undefined;
  for (const statement of identity) {
    if (own && statement.allows) continue;
    if (!statement.applies(action, resource, lookup)) continue;
    if (!statement.allows) return { deniedBy: 'identity', explicit: true };
    own = statement;
  }
  let itself = principal.kind === 'root' && !policy?.sovereign;
  let account = false;
  for (const statement of policy?.statements ?? []) {
    const concern = statement.concerns(principal);
    if (!concern || !statement.applies(action, resource, lookup)) continue;
    if (!statement.allows) return { deniedBy: 'resource', explicit: true };
    if (concern === 'itself') itself = true;
    else account = true;
  }
  const ownCounts = own !== undefined && (account || !policy?.sovereign);
  if (!itself && !ownCounts) {
    return { deniedBy: principal.kind === 'service' || policy?.sovereign ? 'resource' : 'identity', explicit: false };
  }
  if (ownCounts) own?.markUsed(action, resource);
  return undefined;
}
