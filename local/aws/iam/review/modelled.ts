/** The condition keys that the embedded AWS fills in. A policy with another one would be judged wrongly. */
const KEYS = [
  ...['PrincipalAccount', 'PrincipalArn', 'PrincipalIsAWSService', 'PrincipalServiceName'].map((key) => `aws:${key}`),
  ...['RequestedRegion', 'ResourceAccount', 'SecureTransport', 'SourceAccount', 'SourceArn'].map((key) => `aws:${key}`),
  'aws:RequestTag/',
  'aws:ResourceTag/',
  'aws:TagKeys',
  'cloudwatch:namespace',
  ...[
    'AvailabilityZone',
    'CreateAction',
    'EbsOptimized',
    'Encrypted',
    'ImageType',
    'InstanceID',
    'InstanceProfile',
  ].map((key) => `ec2:${key}`),
  ...['InstanceType', 'IsLaunchTemplateResource', 'LaunchTemplate', 'MetadataHttpEndpoint'].map((key) => `ec2:${key}`),
  ...['MetadataHttpPutResponseHopLimit', 'MetadataHttpTokens', 'Owner', 'Public', 'ResourceTag/'].map(
    (key) => `ec2:${key}`,
  ),
  ...['RootDeviceType', 'SourceInstanceARN', 'Subnet', 'VolumeSize', 'VolumeType', 'Vpc'].map((key) => `ec2:${key}`),
  'events:detail-type',
  'events:source',
  'iam:PassedToService',
  'secretsmanager:ResourceTag/',
  'ssm:SourceInstanceARN',
  'ssm:resourceTag/',
].map((key) => key.toLowerCase());

export function isModelled(key: string): boolean {
  const lower = key.toLowerCase();
  return KEYS.some((known) => (known.endsWith('/') ? lower.startsWith(known) : lower === known));
}
