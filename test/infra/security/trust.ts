/** Who may become a role, invoke a function, or use a resource that has a policy of its own. */
import * as z from 'zod';
import { type Json, ofType, type Resource, text } from '../stack';
import type { Rule } from './rule';

const STATEMENTS = z.object({
  Statement: z.array(
    z.object({
      Effect: z.enum(['Allow', 'Deny']),
      Principal: z.union([z.string(), z.record(z.string(), z.custom<Json>())]),
      Condition: z.record(z.string(), z.record(z.string(), z.custom<Json>())).default({}),
    }),
  ),
});

/** EC2 gives the role to instances of its own account and knows no condition about the source. */
const WITHOUT_SOURCE = 'ec2.amazonaws.com';

export const rolesTrustServicesForThisAccountOnly: Rule = ({ template }) =>
  [...ofType(template, 'AWS::IAM::Role')].flatMap(([id, role]) =>
    STATEMENTS.parse(role.Properties.AssumeRolePolicyDocument).Statement.flatMap(({ Principal, Condition }) => {
      const service = typeof Principal === 'string' ? '' : text(Principal.Service);
      if (service === '' || Object.keys(Principal).length > 1) return [`${id} trusts ${JSON.stringify(Principal)}`];
      const account = text(Condition.StringEquals?.['aws:SourceAccount']);
      return service === WITHOUT_SOURCE || account === '<AWS::AccountId>'
        ? []
        : [`${id} trusts ${service} on anybody's behalf`];
    }),
  );

export const noRoleHasForeignPolicies: Rule = ({ template }) =>
  [...ofType(template, 'AWS::IAM::Role')]
    .filter(([, { Properties }]) => Properties.ManagedPolicyArns !== undefined)
    .map(([id]) => `${id} has managed policies`);

const IDENTITIES = [
  'User',
  'Group',
  'AccessKey',
  'ManagedPolicy',
  'UserToGroupAddition',
  'OIDCProvider',
  'SAMLProvider',
];

export const noOtherIdentityExists: Rule = ({ template }) =>
  IDENTITIES.flatMap((kind) => [...ofType(template, `AWS::IAM::${kind}`).keys()]);

export const functionsAreInvokedByThisStackOnly: Rule = ({ template }) => [
  ...[...ofType(template, 'AWS::Lambda::Permission')].flatMap(([id, { Properties }]) =>
    /^[a-z0-9]+\.amazonaws\.com$/.test(text(Properties.Principal)) &&
    /^<\w+\.Arn>$/.test(text(Properties.SourceArn)) &&
    text(Properties.SourceAccount) === '<AWS::AccountId>'
      ? []
      : [`${id} admits ${text(Properties.Principal)} from ${text(Properties.SourceArn)}`],
  ),
  ...[...ofType(template, 'AWS::Lambda::Url').keys()].map((id) => `${id} is open to the Internet`),
];

const open = (principal: unknown) => principal === '*' || JSON.stringify(principal).includes('"AWS":"*"');

export const noResourcePolicyAdmitsStrangers: Rule = ({ template }) =>
  Object.entries(template.Resources).flatMap(([id, { Properties }]: [string, Resource]) =>
    Object.entries(Properties)
      .filter(([key]) => /^(PolicyDocument|ResourcePolicy|KeyPolicy|RepositoryPolicyText)$/.test(key))
      .flatMap(([, document]) => {
        const parsed = STATEMENTS.safeParse(document);
        // A policy without principals is an identity's.
        if (!parsed.success) return [];
        return parsed.data.Statement.filter(({ Effect, Principal }) => Effect === 'Allow' && open(Principal)).map(
          () => `${id} admits everybody`,
        );
      }),
  );
