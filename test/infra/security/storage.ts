/** What is kept: encrypted, and logs not for ever. */
import { ofType } from '../stack';
import type { Rule } from './rule';

/**
 * What encrypts each kind of store that AWS does not encrypt by itself, or that could be told not to. Secrets, parameters of
 * type SecureString and state machines' histories are always encrypted; a plain parameter never is.
 */
const ENCRYPTED: Readonly<Record<string, RegExp>> = {
  'AWS::S3::Bucket': /"BucketEncryption":\{/,
  'AWS::DynamoDB::Table': /"SSESpecification":\{[^}]*"SSEEnabled":true/,
  'AWS::SNS::Topic': /"KmsMasterKeyId":/,
  'AWS::SQS::Queue': /"(KmsMasterKeyId":|SqsManagedSseEnabled":true)/,
  'AWS::EFS::FileSystem': /"Encrypted":true/,
  'AWS::EC2::Volume': /"Encrypted":true/,
  'AWS::Kinesis::Stream': /"StreamEncryption":\{/,
  'AWS::EC2::LaunchTemplate': /"BlockDeviceMappings":\[/,
};

export const everyStoreIsEncrypted: Rule = ({ template }) => [
  ...Object.entries(template.Resources)
    .filter(([, { Type, Properties }]) => !(ENCRYPTED[Type]?.test(JSON.stringify(Properties)) ?? true))
    .map(([id]) => `${id} is not encrypted`),
  ...[...ofType(template, 'AWS::EC2::LaunchTemplate')]
    .filter(([, { Properties }]) => {
      const data = JSON.stringify(Properties);
      return (data.match(/"Ebs":\{/g) ?? []).length !== (data.match(/"Encrypted":true/g) ?? []).length;
    })
    .map(([id]) => `${id} launches with a volume that is not encrypted`),
  ...[...ofType(template, 'AWS::SSM::Parameter').keys()].map((id) => `${id} is kept in plain text`),
  ...[...ofType(template, 'AWS::SecretsManager::Secret')]
    .filter(([, { Properties }]) => Properties.SecretString !== undefined)
    .map(([id]) => `${id} stands in the template`),
];

export const everyLogIsForgotten: Rule = ({ template }) =>
  [...ofType(template, 'AWS::Logs::LogGroup')]
    .filter(([, { Properties }]) => typeof Properties.RetentionInDays !== 'number')
    .map(([id]) => `${id} keeps its logs for ever`);

/** A function without a group of its own would make one that keeps everything. */
export const everyFunctionLogsToAGroupOfTheStack: Rule = ({ template }) =>
  [...ofType(template, 'AWS::Lambda::Function')]
    .filter(([, { Properties }]) => !JSON.stringify(Properties.LoggingConfig ?? {}).includes('"LogGroup":{"Ref":'))
    .map(([id]) => `${id} logs to a group of its own making`);
