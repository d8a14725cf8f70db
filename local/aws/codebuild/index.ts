/** CodeBuild: projects that build a container image, and their builds. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Endpoint } from '../../wire/http';
import { sign } from '../../wire/sign';
import type { Registry } from '../ecr/registry';
import { type Permits, sessionArn } from '../iam/authority';
import type { Need } from '../iam/need';
import type { LogWriter } from '../logs/writer';
import { provision } from '../properties';
import { AwsError, type Operation, operation, type Provision, type Service, type World } from '../service';
import { Container } from './container';
import { BUILDSPEC, PROJECT, type Project } from './project';

const START_BUILD = z.strictObject({ projectName: z.string().min(1), idempotencyToken: z.string().optional() });
const BATCH_GET_BUILDS = z.strictObject({ ids: z.array(z.string()).min(1).max(100) });

/** StartBuild with the same token within this time starts nothing new (API reference). */
const TOKEN_MS = 5 * 60_000;

interface Build {
  id: string;
  arn: string;
  number: number;
  project: Project;
  token: string | undefined;
  startedAt: number;
  endedAt: number | undefined;
  status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'FAULT';
  phases: { phaseType: string; phaseStatus: string; contexts: { statusCode: string; message: string }[] }[];
}

export interface CodeBuildDependencies {
  endpoint: Endpoint;
  registry: Registry;
  logs: LogWriter;
  authority: Permits;
  /** The directory that was zipped to this object; undefined when there is none. */
  source(bucket: string, key: string): string | undefined;
}

export class CodeBuild implements Service {
  readonly name = 'codebuild';
  readonly protocol = 'json-1.1';
  readonly version = 'CodeBuild_20161006';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly projects = new Map<string, Project>();
  private readonly builds = new Map<string, Build>();
  private readonly random;

  constructor(
    private readonly world: World,
    private readonly dependencies: CodeBuildDependencies,
  ) {
    this.random = world.random.fork('codebuild');
    this.resources = {
      'AWS::CodeBuild::Project': provision('AWS::CodeBuild::Project', PROJECT, (properties, logicalId) => {
        const Name = properties.Name ?? `${logicalId}-${this.random.hex(12)}`;
        this.projects.set(Name, { ...properties, Name });
        return { ref: Name, attributes: { Arn: this.arn(Name) } };
      }),
    };
    this.operations = {
      StartBuild: operation({
        input: START_BUILD,
        needs: ({ projectName }) => [{ action: 'codebuild:StartBuild', resource: this.arn(projectName) }],
        handle: ({ projectName, idempotencyToken }) => ({ build: show(this.start(projectName, idempotencyToken)) }),
      }),
      BatchGetBuilds: operation({
        input: BATCH_GET_BUILDS,
        // A build's id starts with its project's name.
        needs: ({ ids }) =>
          ids.map((id) => ({ action: 'codebuild:BatchGetBuilds', resource: this.arn(id.split(':')[0] ?? '') })),
        handle: ({ ids }) => {
          const found = ids.flatMap((id) => this.builds.get(id) ?? []);
          return { builds: found.map(show), buildsNotFound: ids.filter((id) => !this.builds.has(id)) };
        },
      }),
    };
  }

  private arn(projectName: string): string {
    return `arn:aws:codebuild:${this.world.region}:${this.world.account}:project/${projectName}`;
  }

  private start(projectName: string, token: string | undefined): Build {
    const { clock, region, account } = this.world;
    const project = this.projects.get(projectName);
    if (!project) {
      throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${this.arn(projectName)}`);
    }
    const same = [...this.builds.values()].find(
      (build) => token !== undefined && build.token === token && clock.now() - build.startedAt < TOKEN_MS,
    );
    if (same) return same;
    const id = `${projectName}:${this.random.uuid()}`;
    const build: Build = {
      id,
      arn: `arn:aws:codebuild:${region}:${account}:build/${id}`,
      number: this.builds.size + 1,
      project,
      token,
      startedAt: clock.now(),
      endedAt: undefined,
      status: 'IN_PROGRESS',
      phases: [{ phaseType: 'SUBMITTED', phaseStatus: 'SUCCEEDED', contexts: [] }],
    };
    this.builds.set(id, build);
    this.run(build).catch((error: unknown) => {
      build.status = 'FAULT';
      this.world.log('a build broke', { build: id, error: String(error) });
    });
    return build;
  }

  private async run(build: Build): Promise<void> {
    const { clock, latency, credentials, region } = this.world;
    const { Environment, ServiceRole, Source, LogsConfig } = build.project;
    const phase = (phaseType: string, failure?: { statusCode: string; message: string }) => {
      const phaseStatus = failure ? 'FAILED' : 'SUCCEEDED';
      build.phases.push({ phaseType, phaseStatus, contexts: failure ? [failure] : [] });
      return !failure;
    };
    const finish = (status: Build['status']) => {
      build.status = status;
      build.endedAt = clock.now();
      phase('COMPLETED');
    };
    const { GroupName } = LogsConfig.CloudWatchLogs;
    const stream = build.id.split(':')[1] ?? '';
    const log = (line: string) => this.dependencies.logs.write(GroupName, stream, `[Container] ${line}`);

    await clock.sleep(latency.sample('codebuild.provision', build.project.Name));
    const { authority } = this.dependencies;
    const service = { name: 'codebuild.amazonaws.com', sourceArn: this.arn(build.project.Name) };
    const session = sessionArn(ServiceRole, `AWSCodeBuild-${stream}`);
    const refusal =
      authority.assumeRefusal(service, ServiceRole) ??
      authority.refusal(session, logNeeds(this.world, GroupName, stream));
    if (!phase('PROVISIONING', refusal === undefined ? undefined : { statusCode: 'ACCESS_DENIED', message: refusal })) {
      finish('FAILED');
      return;
    }
    const caller = credentials.issue(session);
    const directory = await this.download(Source.Location, caller);
    if (typeof directory !== 'string') {
      phase('DOWNLOAD_SOURCE', { statusCode: 'CLIENT_ERROR', message: directory.reason });
      return finish('FAILED');
    }
    phase('DOWNLOAD_SOURCE');
    const { phases } = BUILDSPEC.parse(parse(Source.BuildSpec));
    const container = new Container({
      world: this.world,
      endpoint: this.dependencies.endpoint,
      registry: this.dependencies.registry,
      caller,
      directory,
      architecture: Environment.Type === 'ARM_CONTAINER' ? 'arm64' : 'amd64',
      privileged: Environment.PrivilegedMode,
      variables: {
        AWS_REGION: region,
        ...Object.fromEntries(Environment.EnvironmentVariables.map(({ Name, Value }) => [Name, Value])),
      },
      log,
    });
    await clock.sleep(latency.sample('codebuild.build', build.project.Name));
    for (const command of phases.build.commands) {
      const status = await container.run(command);
      if (status === 0) continue;
      const message = `Error while executing command: ${command}. Reason: exit status ${status}`;
      phase('BUILD', { statusCode: 'COMMAND_EXECUTION_ERROR', message });
      return finish('FAILED');
    }
    phase('BUILD');
    finish('SUCCEEDED');
  }

  /** The source's directory, or why there is none. Read with the project's role, as CodeBuild does. */
  private async download(location: string, caller: Parameters<typeof sign>[1]): Promise<string | { reason: string }> {
    const { clock, region } = this.world;
    const [, bucket = '', key = ''] = /^([^/]+)\/(.+)$/.exec(location) ?? [];
    const headers = { host: `s3.${region}.amazonaws.com` };
    const request = { service: 's3', region, method: 'HEAD', path: `/${location}`, headers, body: '' };
    const { status } = await this.dependencies.endpoint(sign(request, caller, clock.now()));
    if (status === 403) return { reason: 'Access Denied: source location' };
    const directory = this.dependencies.source(bucket, key);
    return directory ?? { reason: `NoSuchKey: ${location}` };
  }
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html */
function logNeeds({ region, account }: World, group: string, stream: string): Need[] {
  const resource = `arn:aws:logs:${region}:${account}:log-group:${group}:log-stream:${stream}`;
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resource }));
}

function show({ id, arn, number, project, startedAt, endedAt, status, phases }: Build) {
  return {
    id,
    arn,
    buildNumber: number,
    projectName: project.Name,
    buildStatus: status,
    buildComplete: endedAt !== undefined,
    currentPhase: phases.at(-1)?.phaseType,
    startTime: new Date(startedAt),
    ...(endedAt === undefined ? {} : { endTime: new Date(endedAt) }),
    phases,
    logs: { groupName: project.LogsConfig.CloudWatchLogs.GroupName, streamName: id.split(':')[1] },
  };
}
