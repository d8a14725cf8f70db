/** The services of the embedded AWS, connected with each other as AWS connects them. */
import { readFile } from 'node:fs/promises';
import { CloudWatch } from './aws/cloudwatch';
import { CodeBuild } from './aws/codebuild';
import { DynamoDb } from './aws/dynamodb';
import { Ec2 } from './aws/ec2';
import { Ecr } from './aws/ecr';
import { Registry } from './aws/ecr/registry';
import { Elbv2 } from './aws/elbv2';
import { Events } from './aws/events';
import type { Emit } from './aws/events/event';
import { Iam } from './aws/iam';
import { Kms } from './aws/kms';
import { Lambda, type LambdaRuntime } from './aws/lambda';
import { Logs } from './aws/logs';
import { S3 } from './aws/s3';
import { SecretsManager } from './aws/secretsmanager';
import type { Service, World } from './aws/service';
import { Sns } from './aws/sns';
import { Ssm } from './aws/ssm';
import { StepFunctions } from './aws/stepfunctions';
import { Sts } from './aws/sts';
import type { MachineHost } from './machine';
import { reportMetrics } from './metrics';
import type { Network } from './network';
import type { Assembly } from './stack';
import type { Endpoint } from './wire/http';

export interface ServicesOptions {
  world: World;
  network: Network & { nextAddress(): string };
  host: MachineHost;
  assembly: Assembly;
  /** The AWS wire, for what one service does with another in somebody's name. */
  endpoint: Endpoint;
  /** Where functions reach AWS. */
  endpointUrl(): string;
  runtime?: LambdaRuntime;
}

export type Services = ReturnType<typeof createServices>;

export function createServices({ world, network, host, assembly, endpoint, endpointUrl, runtime }: ServicesOptions) {
  // The bus delivers to functions and workflows, and they put events on it.
  let bus: Events | undefined;
  const emit: Emit = (event) => bus?.emit(event);
  const asset = (bucket: string, key: string): string => {
    const found = assembly.asset(bucket, key);
    if (!found) throw new Error(`the assembly has no asset s3://${bucket}/${key}`);
    return found.path;
  };

  const iam = new Iam(world);
  const { authority } = iam;
  const logs = new Logs(world);
  const s3 = new S3(world, { assets: assembly.assets });
  const ec2 = new Ec2(world, {
    host,
    emit: ({ source, 'detail-type': detailType, resources, detail }) => emit({ source, detailType, resources, detail }),
    nextAddress: () => network.nextAddress(),
    roleOfProfile: (profile) => iam.roleOfProfile(profile),
    assumes: (roleArn) => authority.assumeRefusal({ name: 'ec2.amazonaws.com' }, roleArn) === undefined,
  });
  const elbv2 = new Elbv2(world, { ec2, network });
  const ssm = new Ssm(world, {
    instances: ec2,
    emit,
    authority,
    reachable: (address) => network.reachable(address, 'aws'),
  });
  const sns = new Sns(world, authority);
  const lambda = new Lambda(world, {
    asset,
    endpointUrl,
    authority,
    logs,
    sns,
    ...(runtime ? { runtime } : {}),
  });
  const states = new StepFunctions(world, {
    lambda,
    emit,
    authority,
    logs,
    readObject: (bucket, key) => readFile(asset(bucket, key), 'utf8'),
  });
  bus = new Events(world, { lambda, states, sns });
  const cloudwatch = new CloudWatch(world, { emit, sns });
  reportMetrics(world.clock, cloudwatch, { elbv2, lambda });
  const ecr = new Ecr(world);
  const codebuild = new CodeBuild(world, {
    endpoint,
    authority,
    registry: new Registry(world, ecr, endpoint),
    logs,
    source: (bucket, key) => assembly.asset(bucket, key)?.path,
  });
  return {
    cloudwatch,
    codebuild,
    dynamodb: new DynamoDb(world),
    ec2,
    ecr,
    elbv2,
    events: bus,
    iam,
    kms: new Kms(world),
    lambda,
    logs,
    s3,
    secretsmanager: new SecretsManager(world),
    sns,
    ssm,
    states,
    sts: new Sts(world),
  };
}

export function listServices(services: Services): Service[] {
  return Object.values(services);
}
