/** What may be done to instances: only to this cluster's, and only as its launch template says. */
import { TAG } from '../../../functions/cluster/names';
import { ofType, only, type Statement, text } from '../stack';
import { granted, tell } from './actions';
import type { Rule, Subject } from './rule';

const REQUEST_TAG = `aws:RequestTag/${TAG.cluster}`;
const ARN = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:';

function granting(subject: Subject, action: string) {
  return granted(subject.template).filter(({ Action }) => Action.includes(action));
}

/** Values that a condition demands, as text; none: it is not there. */
function demanded({ Condition }: Statement, operator: string, key: string): string[] {
  const value = Condition[operator]?.[key];
  return value === undefined ? [] : Array.isArray(value) ? value.map(text) : [text(value)];
}

const demands = (statement: Statement, operator: string, key: string, value: string) =>
  demanded(statement, operator, key).join() === value;

export const theNodeRoleIsPassedToEc2Only: Rule = (subject) => {
  const [profile] = [...ofType(subject.template, 'AWS::IAM::InstanceProfile').values()];
  const roles = Array.isArray(profile?.Properties.Roles) ? profile.Properties.Roles.map(text) : [];
  const role = roles[0]?.replace('>', '.Arn>');
  const granting = granted(subject.template).filter(({ Action }) => Action.some((action) => /^iam:/.test(action)));
  return [
    ...(roles.length === 1 ? [] : ['there is not exactly one role to pass']),
    ...granting
      .filter(
        (statement) =>
          statement.Action.join() !== 'iam:PassRole' ||
          statement.Resource.join() !== role ||
          !demands(statement, 'StringEquals', 'iam:PassedToService', 'ec2.amazonaws.com'),
      )
      .map(tell),
  ];
};

/** Each resource that a launch touches, with the conditions that this one must demand. */
export const launchesAreOfThisTemplateOnly: Rule = (subject) => {
  const { template, config } = subject;
  const launchTemplate = `${ARN}launch-template/<${[...ofType(template, 'AWS::EC2::LaunchTemplate').keys()].join()}>`;
  const subnets = [...ofType(template, 'AWS::EC2::Subnet')]
    .filter(([id]) => (config.network.mode === 'private' ? /Private/ : /Public/).test(id))
    .map(([id]) => `${ARN}subnet/<${id}>`);
  const nodeGroup = only(template, 'AWS::EC2::LaunchTemplate').Properties.LaunchTemplateData;
  const group = text(
    typeof nodeGroup === 'object' && nodeGroup !== null && !Array.isArray(nodeGroup) ? nodeGroup.SecurityGroupIds : '',
  );
  const fromTemplate = (s: Statement) => demands(s, 'Bool', 'ec2:IsLaunchTemplateResource', 'true');
  const tagged = (s: Statement) => demands(s, 'StringEquals', REQUEST_TAG, config.name);
  const required: Record<string, (statement: Statement) => boolean> = {
    [launchTemplate]: () => true,
    ...Object.fromEntries(subnets.map((subnet) => [subnet, () => true])),
    'arn:<AWS::Partition>:ec2:<AWS::Region>::image/<NodeImage>': fromTemplate,
    [`${ARN}security-group/${group}`]: fromTemplate,
    [`${ARN}volume/*`]: tagged,
    [`${ARN}network-interface/*`]: tagged,
    [`${ARN}instance/*`]: (s) =>
      tagged(s) &&
      demands(s, 'StringEquals', 'ec2:MetadataHttpTokens', 'required') &&
      demands(s, 'StringEquals', 'ec2:InstanceType', config.instanceTypes.join()),
  };
  const statements = granting(subject, 'ec2:RunInstances');
  return [
    ...statements.filter((s) => !demands(s, 'ArnEquals', 'ec2:LaunchTemplate', launchTemplate)).map(tell),
    ...statements.flatMap((statement) =>
      statement.Resource.filter((resource) => !required[resource]?.(statement)).map(
        (resource) => `${statement.role}: RunInstances on ${resource}`,
      ),
    ),
  ];
};

export const tagsAreSetAtLaunchOnly: Rule = (subject) =>
  granting(subject, 'ec2:CreateTags')
    .filter(
      (statement) =>
        !demands(statement, 'StringEquals', 'ec2:CreateAction', 'RunInstances') ||
        !demands(statement, 'StringEquals', REQUEST_TAG, subject.config.name),
    )
    .map(tell);

export const onlyThisClustersInstancesEnd: Rule = (subject) =>
  granting(subject, 'ec2:TerminateInstances')
    .filter(
      (statement) =>
        statement.Resource.join() !== `${ARN}instance/*` ||
        !demands(statement, 'StringEquals', `ec2:ResourceTag/${TAG.cluster}`, subject.config.name),
    )
    .map(tell);

/**
 * Authorised once for the document and once for the instance: a statement that allowed both would need a condition that
 * documents do not meet, one that has none would open every instance.
 */
export const onlyThisClustersDocumentsRun: Rule = (subject) => {
  const documents = [...ofType(subject.template, 'AWS::SSM::Document').values()].map(
    ({ Properties }) => `arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:document/${text(Properties.Name)}`,
  );
  return granting(subject, 'ssm:SendCommand')
    .filter(
      (statement) =>
        !statement.Resource.every((resource) => documents.includes(resource)) &&
        !(
          statement.Resource.join() === `${ARN}instance/*` &&
          demands(statement, 'StringEquals', `ssm:resourceTag/${TAG.cluster}`, subject.config.name)
        ),
    )
    .map(tell);
};

/** Credentials of an instance are behind IMDSv2, one hop away; nobody logs in with a key. */
export const instancesKeepTheirCredentials: Rule = ({ template }) =>
  [...ofType(template, 'AWS::EC2::LaunchTemplate')].flatMap(([id, { Properties }]) => {
    const data = JSON.stringify(Properties.LaunchTemplateData);
    return [
      ...(data.includes('"HttpTokens":"required"') ? [] : [`${id}: IMDSv1 is allowed`]),
      ...(data.includes('"HttpPutResponseHopLimit":1') ? [] : [`${id}: pods reach the metadata service`]),
      ...(data.includes('"KeyName"') ? [`${id}: has a key pair`] : []),
    ];
  });
