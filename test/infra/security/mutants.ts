/** Edits that make a template insecure: each must be reported by the rule it is made for. */
import { type Json, ofType, type Template } from '../stack';

export type Edit = (template: Template) => void;

/** The first resource of a type whose id matches. */
function find(template: Template, type: string, id = /./) {
  const found = [...ofType(template, type)].find(([name]) => id.test(name));
  if (!found) throw new Error(`no ${type} ${id}`);
  return found[1];
}

/** Replaces text in the JSON of a resource's properties. @throws when it is not there: the mutant would be none */
const replaced =
  (type: string, id: RegExp, from: string | RegExp, to: string): Edit =>
  (template) => {
    const resource = find(template, type, id);
    const before = JSON.stringify(resource.Properties);
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${type} ${id} has no ${from}`);
    resource.Properties = JSON.parse(after);
  };

const role = (id: RegExp, from: string | RegExp, to: string) => replaced('AWS::IAM::Role', id, from, to);

/** Gives a function's role one more statement. */
const grant =
  (Action: string, Resource: Json = '*', Condition: { [key: string]: Json } = {}): Edit =>
  (template) => {
    const { Policies } = find(template, 'AWS::IAM::Role', /CheckServerRole/).Properties;
    if (!Array.isArray(Policies)) throw new Error('no policies');
    Policies.push({
      PolicyName: 'More',
      PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource, Condition }] },
    });
  };

const add =
  (Type: string, Properties: { [key: string]: Json }): Edit =>
  (template) => {
    template.Resources.Mutant = { Type, Properties, DependsOn: [] };
  };

const property =
  (type: string, key: string, value: Json | undefined, id?: RegExp): Edit =>
  (template) => {
    const { Properties } = find(template, type, id);
    if (value === undefined) delete Properties[key];
    else Properties[key] = value;
  };

const LAUNCH = /LaunchServerRole/;
const TEMPLATE = 'AWS::EC2::LaunchTemplate';
const open = (port: number, to = port, more: { [key: string]: Json } = { CidrIp: '0.0.0.0/0' }): Edit =>
  add('AWS::EC2::SecurityGroupIngress', {
    GroupId: { 'Fn::GetAtt': ['Balancer', 'GroupId'] },
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: to,
    ...more,
  });

export const ACTIONS = {
  star: grant('*'),
  'a star after the service': grant('ec2:*', 'arn:aws:ec2:eu-west-3:1:instance/i-1'),
  'a star after the verb': grant('ssm:Get*'),
};
export const RESOURCES = {
  'a read that could name its resource': grant('dynamodb:GetItem'),
  'an action without a reason': grant('ec2:DescribeVolumes'),
  'every table': grant('dynamodb:GetItem', 'arn:aws:dynamodb:eu-west-3:123456789012:table/*'),
  'more than the executions of a machine': role(/AcquireLeaseRole/, /:execution:k3s-[a-z]+:\*/, ':stateMachine:*'),
};
export const CHANGES = {
  'changing a function': grant('lambda:UpdateFunctionCode', 'arn:aws:lambda:eu-west-3:1:function:x'),
  'changing a role': grant('iam:PutRolePolicy', 'arn:aws:iam::1:role/x'),
  'becoming a role': grant('sts:AssumeRole', 'arn:aws:iam::1:role/x'),
  'changing a document': grant('ssm:UpdateDocument', 'arn:aws:ssm:eu-west-3:1:document/x'),
  'changing the launch template': grant('ec2:CreateLaunchTemplateVersion', 'arn:aws:ec2:eu-west-3:1:launch-template/x'),
  'opening a group': grant('ec2:AuthorizeSecurityGroupIngress', 'arn:aws:ec2:eu-west-3:1:security-group/x'),
  'changing user data': grant('ec2:ModifyInstanceAttribute', 'arn:aws:ec2:eu-west-3:1:instance/x'),
  'opening a shell': grant('ssm:StartSession', 'arn:aws:ec2:eu-west-3:1:instance/x'),
};
export const SECRETS = {
  'a function that reads the token': grant('secretsmanager:GetSecretValue', { Ref: 'StateJoinTokenABC' }),
  'servers that read every secret': role(/^NodesRole/, /\{"Ref":"StateJoinToken\w+"\}/, '"*"'),
  'a parameter': grant('ssm:GetParameter', 'arn:aws:ssm:eu-west-3:1:parameter/x'),
  'a key': grant('kms:Decrypt', 'arn:aws:kms:eu-west-3:1:key/x'),
};
export const PASS = {
  'to any service': role(LAUNCH, '"iam:PassedToService":"ec2.amazonaws.com"', '"aws:RequestedRegion":"eu-west-3"'),
  'to Lambda': role(LAUNCH, '"ec2.amazonaws.com"', '"lambda.amazonaws.com"'),
  'of another role': role(LAUNCH, /"Fn::GetAtt":\["NodesRole\w+","Arn"\]/, '"Fn::GetAtt":["AdminRole","Arn"]'),
  'from another function': grant('iam:PassRole', 'arn:aws:iam::1:role/admin', {
    StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' },
  }),
};
export const LAUNCHES = {
  'without the launch template': role(LAUNCH, '"ec2:LaunchTemplate"', '"ec2:Nothing"'),
  'with another image than the template’s': role(
    LAUNCH,
    /"Bool":\{"ec2:IsLaunchTemplateResource":"true"\}/,
    '"Bool":{}',
  ),
  'with any image': role(LAUNCH, /":ec2:",([^\]]*)"::image\/",\{"Ref":"NodeImage"\}/, '":ec2:",$1"::image/*"'),
  'into any subnet': role(LAUNCH, /":subnet\/",\{"Ref":"\w+"\}/, '":subnet/*"'),
  'into another subnet': role(LAUNCH, /":subnet\/",\{"Ref":"\w+"\}/, '":subnet/",{"Ref":"Other"}'),
  'without the cluster’s tag': role(LAUNCH, /"aws:RequestTag\/k3s:cluster":"\w+",/, ''),
  'with the tag of another cluster': role(
    LAUNCH,
    /"aws:RequestTag\/k3s:cluster":"\w+"/,
    '"aws:RequestTag/k3s:cluster":"x"',
  ),
  'with IMDSv1': role(LAUNCH, '"ec2:MetadataHttpTokens":"required"', '"ec2:MetadataHttpTokens":"optional"'),
  'of any type': role(LAUNCH, /"ec2:InstanceType":\[[^\]]*\],/, ''),
  'by another function': grant('ec2:RunInstances', 'arn:aws:ec2:eu-west-3:1:instance/*'),
};
export const TAGS = {
  'of what runs already': role(LAUNCH, '"ec2:CreateAction":"RunInstances"', '"aws:RequestedRegion":"eu-west-3"'),
  'of another cluster': role(
    LAUNCH,
    /("ec2:CreateAction":"RunInstances","aws:RequestTag\/k3s:cluster"):"\w+"/,
    '$1:"x"',
  ),
  'by another function': grant('ec2:CreateTags', 'arn:aws:ec2:eu-west-3:1:instance/*'),
};
export const ENDS = {
  'without a condition': role(/TerminateServerRole/, /"ec2:ResourceTag\/k3s:cluster":"\w+"/, ''),
  'of another cluster': role(
    /TerminateServerRole/,
    /"ec2:ResourceTag\/k3s:cluster":"\w+"/,
    '"ec2:ResourceTag/k3s:cluster":"x"',
  ),
  'by another function': grant('ec2:TerminateInstances', 'arn:aws:ec2:eu-west-3:1:instance/*'),
};
export const COMMANDS = {
  'AWS’ own document, which runs anything': role(
    /SendCommandRole/,
    /:document\/k3s-\w+-StartServer/,
    ':document/AWS-RunShellScript',
  ),
  'any document': role(/SendCommandRole/, /:document\/k3s-\w+-StartServer/, ':document/*'),
  'on any instance': role(/SendCommandRole/, /"ssm:resourceTag\/k3s:cluster":"\w+"/, ''),
  'on instances of another cluster': role(
    /SendCommandRole/,
    /"ssm:resourceTag\/k3s:cluster":"\w+"/,
    '"ssm:resourceTag/k3s:cluster":"x"',
  ),
};
export const CREDENTIALS = {
  IMDSv1: replaced(TEMPLATE, /./, '"HttpTokens":"required"', '"HttpTokens":"optional"'),
  'two hops': replaced(TEMPLATE, /./, '"HttpPutResponseHopLimit":1', '"HttpPutResponseHopLimit":2'),
  'a key pair': replaced(TEMPLATE, /./, '"ImageId"', '"KeyName":"me","ImageId"'),
};
export const TRUST = {
  'another account': role(
    LAUNCH,
    '"Principal":{"Service":"lambda.amazonaws.com"}',
    '"Principal":{"AWS":"arn:aws:iam::1:root"}',
  ),
  anybody: role(LAUNCH, '"Principal":{"Service":"lambda.amazonaws.com"}', '"Principal":"*"'),
  'a service on behalf of others': role(/ClusterRole/, /"aws:SourceAccount":\{"Ref":"AWS::AccountId"\}/, ''),
};
export const FOREIGN = {
  'an administrator': property(
    'AWS::IAM::Role',
    'ManagedPolicyArns',
    ['arn:aws:iam::aws:policy/AdministratorAccess'],
    LAUNCH,
  ),
};
export const IDENTITIES = { 'a user': add('AWS::IAM::User', {}), 'its key': add('AWS::IAM::AccessKey', {}) };
export const INVOCATIONS = {
  'any rule': property('AWS::Lambda::Permission', 'SourceArn', undefined),
  'any account': property('AWS::Lambda::Permission', 'SourceAccount', undefined),
  anybody: property('AWS::Lambda::Permission', 'Principal', '*'),
  'a web address': add('AWS::Lambda::Url', { AuthType: 'NONE' }),
};
export const STRANGERS = {
  'a topic': replaced('AWS::SNS::TopicPolicy', /./, '"Effect":"Deny"', '"Effect":"Allow"'),
  'a bucket': add('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 's3:GetObject', Resource: '*' }],
    },
  }),
};
export const WORLD = {
  SSH: open(22),
  'the API to everybody': open(6443),
  'the API over IPv6': open(6443, 6443, { CidrIpv6: '::/0' }),
  etcd: open(2379),
  'a range over 443': open(1, 65535),
  'a prefix list': open(8080, 8080, { SourcePrefixListId: 'pl-1' }),
  'HTTP over IPv6': open(80, 80, { CidrIpv6: '::/0' }),
};
export const SERVERS = {
  'the world, past the load balancer': (template: Template) => {
    const [group = ''] = [...ofType(template, 'AWS::EC2::SecurityGroup').keys()].filter((id) => /NodeGroup/.test(id));
    open(443, 443, { CidrIp: '0.0.0.0/0', GroupId: { 'Fn::GetAtt': [group, 'GroupId'] } })(template);
  },
};
export const PORTS = {
  'SSH between servers': open(22, 22, { SourceSecurityGroupId: 'sg-1' }),
  'everything between servers': open(0, 65535, { SourceSecurityGroupId: 'sg-1' }),
};
export const ADDRESSES = {
  'a public address in a private subnet': property('AWS::EC2::Subnet', 'MapPublicIpOnLaunch', true),
};
export const STORES = {
  'a table': property('AWS::DynamoDB::Table', 'SSESpecification', undefined),
  'a topic': property('AWS::SNS::Topic', 'KmsMasterKeyId', undefined),
  'a volume': replaced(TEMPLATE, /./, '"Encrypted":true', '"Encrypted":false'),
  'a volume that is not spelt out': replaced(TEMPLATE, /./, '"BlockDeviceMappings"', '"Nothing"'),
  'a second volume': replaced(
    TEMPLATE,
    /./,
    '"BlockDeviceMappings":[',
    '"BlockDeviceMappings":[{"DeviceName":"x","Ebs":{"VolumeSize":9}},',
  ),
  'a new bucket': add('AWS::S3::Bucket', {}),
  'a new queue': add('AWS::SQS::Queue', {}),
  'a parameter': add('AWS::SSM::Parameter', { Type: 'String', Value: 'x' }),
  'a secret that was typed': property('AWS::SecretsManager::Secret', 'SecretString', 'hunter2'),
};
export const LOGS = { 'a group without a term': property('AWS::Logs::LogGroup', 'RetentionInDays', undefined) };
export const LOGGING = { 'a function without a group': property('AWS::Lambda::Function', 'LoggingConfig', undefined) };
