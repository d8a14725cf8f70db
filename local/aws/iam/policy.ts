/**
 * Policy documents: identity policies, trust policies and resource policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { z } from 'zod';

/** Policies may give one value or a list of them. */
const oneOrMore = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(schema).min(1));

const strings = oneOrMore(z.string());

const CONDITION_VALUE = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const CONDITIONS = z.record(z.string(), z.record(z.string(), oneOrMore(CONDITION_VALUE)));

const PRINCIPAL = z.union([
  z.literal('*').transform((): { AWS: string[]; Service?: string[] } => ({ AWS: ['*'] })),
  z.strictObject({
    AWS: strings.optional(),
    Service: strings.optional(),
    Federated: strings.optional(),
    CanonicalUser: strings.optional(),
  }),
]);

const STATEMENT = z.strictObject({
  Sid: z
    .string()
    .regex(/^[A-Za-z0-9]*$/, 'Statement IDs (SID) must be alpha-numeric')
    .optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: PRINCIPAL.optional(),
  NotPrincipal: PRINCIPAL.optional(),
  Action: strings.optional(),
  NotAction: strings.optional(),
  Resource: strings.optional(),
  NotResource: strings.optional(),
  Condition: CONDITIONS.optional(),
});

/** As evaluators read it: every element that may be single is a list. */
export type Statement = z.infer<typeof STATEMENT>;

const document = (check: (statement: Statement) => string | undefined) =>
  z
    .strictObject({
      Version: z.literal('2012-10-17'),
      Id: z.string().optional(),
      Statement: oneOrMore(STATEMENT),
    })
    .superRefine(({ Statement: statements }, context) => {
      for (const [index, statement] of statements.entries()) {
        const message = checkActions(statement) ?? check(statement);
        if (message) context.addIssue({ code: 'custom', message, path: ['Statement', index] });
      }
    });

function checkActions({ Action, NotAction }: Statement): string | undefined {
  if ((Action === undefined) === (NotAction === undefined)) return 'Policy statement must contain actions.';
  const wrong = [...(Action ?? []), ...(NotAction ?? [])].find(
    (action) => !/^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/.test(action),
  );
  if (wrong) return `Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: ${wrong}`;
  return undefined;
}

function checkResources({ Resource, NotResource }: Statement): string | undefined {
  if ((Resource === undefined) === (NotResource === undefined)) return 'Policy statement must contain resources.';
  const wrong = [...(Resource ?? []), ...(NotResource ?? [])].find((resource) => !/^(\*|arn:.+)$/.test(resource));
  if (wrong) return `Resource ${wrong} must be in ARN format or "*".`;
  return undefined;
}

const hasPrincipal = ({ Principal, NotPrincipal }: Statement) => (Principal ?? NotPrincipal) !== undefined;

/** What a role, or whatever has it attached, may do. */
export const IDENTITY_POLICY = document((statement) =>
  hasPrincipal(statement) ? 'Policy document should not specify a principal.' : checkResources(statement),
);

/** Who may assume a role. */
export const TRUST_POLICY = document((statement) => {
  if (!hasPrincipal(statement)) return 'AssumeRole policy must specify a principal.';
  if (statement.Resource ?? statement.NotResource) return 'Has prohibited field Resource';
  return undefined;
});

/** Who may do what with the resource that it is attached to. */
export const RESOURCE_POLICY = document((statement) =>
  hasPrincipal(statement) ? checkResources(statement) : 'Missing required field Principal',
);

export type PolicyDocument = z.infer<typeof IDENTITY_POLICY>;
