/**
 * Tags of the stack go to every resource that takes tags, under those of the resource itself.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html
 */
import { z } from 'zod';

/** Types whose `Tags` is a list of keys and values. */
const TAGGABLE: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::DynamoDB::Table',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::NatGateway',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::IAM::Role',
  'AWS::KMS::Key',
  'AWS::Lambda::Function',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SNS::Topic',
  'AWS::SSM::Document',
  'AWS::SecretsManager::Secret',
  'AWS::StepFunctions::StateMachine',
]);

const TAGS = z.array(z.looseObject({ Key: z.string(), Value: z.unknown() })).default([]);

export function withStackTags(
  type: string,
  properties: Record<string, unknown>,
  tags: Readonly<Record<string, string>>,
): Record<string, unknown> {
  if (!TAGGABLE.has(type) || Object.keys(tags).length === 0) return properties;
  const own = TAGS.safeParse(properties.Tags);
  // What is wrong with it is for the resource's own schema to say.
  if (!own.success) return properties;
  const inherited = Object.entries(tags)
    .filter(([name]) => own.data.every(({ Key }) => Key !== name))
    .map(([Key, Value]) => ({ Key, Value }));
  return { ...properties, Tags: [...own.data, ...inherited] };
}
