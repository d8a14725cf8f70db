/** AWS' own managed policies, as far as they are modelled. */
import { IDENTITY_POLICY } from './policy';

const allow = (...Action: string[]) =>
  IDENTITY_POLICY.parse({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } });

/** Their documents by ARN. https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html */
export const AWS_MANAGED = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': allow(
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ),
} as const;
