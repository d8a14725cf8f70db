/** Whether a topic's resource policy lets an AWS service publish. Conditions are not modelled and must be absent. */
import { z } from 'zod';

const oneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const STATEMENT = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), oneOrMany)]),
  Action: oneOrMany,
  Resource: oneOrMany,
  Condition: z
    .record(z.string(), z.record(z.string(), z.union([z.string(), z.boolean(), z.array(z.string())])))
    .optional(),
});

export const POLICY = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.array(STATEMENT),
});
export type Policy = z.infer<typeof POLICY>;

/**
 * Whether a service principal may publish to the topic. A Deny decides; conditions of an Allow are taken as met,
 * because a service always calls for this account's own resources here, and so are those of a Deny as not met
 * (such as the usual one against plain HTTP).
 */
export function allowsPublish({ Statement }: Policy, principal: string, topicArn: string): boolean {
  const concerns = ({ Principal, Action, Resource }: Policy['Statement'][number]) =>
    (Principal === '*' ||
      (Principal.Service ?? Principal.AWS ?? []).some((name) => name === principal || name === '*')) &&
    Action.some((action) => action === 'sns:Publish' || action === 'sns:*' || action === '*') &&
    Resource.some((resource) => resource === topicArn || resource === '*');
  const relevant = Statement.filter(concerns);
  if (relevant.some(({ Effect, Condition }) => Effect === 'Deny' && !Condition)) return false;
  return relevant.some(({ Effect }) => Effect === 'Allow');
}
