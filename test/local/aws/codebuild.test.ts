import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { CodeBuild } from '../../../local/aws/codebuild';
import { Ecr } from '../../../local/aws/ecr';
import { Registry } from '../../../local/aws/ecr/registry';
import { S3 } from '../../../local/aws/s3';
import { createEndpoint } from '../../../local/wire/endpoint';
import type { Endpoint } from '../../../local/wire/http';
import { call, refusal } from '../../support/call';
import { testWorld } from '../../support/world';

const LOGIN =
  'aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "$REGISTRY"';
const BUILD =
  'docker manifest inspect "$IMAGE" >/dev/null || { docker build --platform "$PLATFORM" --tag "$IMAGE" . && docker push "$IMAGE"; }';
const SOURCE = mkdtempSync(join(tmpdir(), 'k3s-ha-codebuild-'));
writeFileSync(join(SOURCE, 'Dockerfile'), 'FROM alpine\nRUN apk add socat\n');
afterAll(() => rmSync(SOURCE, { recursive: true }));

interface Settings {
  commands?: string[];
  platform?: string;
  type?: string;
  tag?: string;
}

/** A repository and its project, whose role may do what `may` says. */
async function given(may: (action: string) => boolean = () => true, assumable?: string) {
  const world = testWorld();
  let wire: Endpoint | undefined;
  const endpoint: Endpoint = (request) => wire!(request);
  const ecr = new Ecr(world);
  const asset = { bucket: 'assets', key: 'source.zip', path: SOURCE, packaging: 'zip' as const };
  const registry = new Registry(world, ecr, endpoint);
  const lines: string[] = [];
  const codebuild = new CodeBuild(world, {
    endpoint,
    registry,
    authority: {
      refusal: () => undefined,
      serviceRefusal: () => undefined,
      assumeRefusal: () => assumable,
    },
    logs: { has: () => true, write: (_group, _stream, line) => lines.push(line) },
    source: (bucket, key) => (bucket === 'assets' && key === 'source.zip' ? SOURCE : undefined),
  });
  wire = createEndpoint(world, [ecr, codebuild, new S3(world, { assets: [asset] })], {
    refusal: (_principal, needs) => (needs.every(({ action }) => may(action)) ? undefined : 'not authorized'),
  });
  const repository = await ecr.resources['AWS::ECR::Repository']!('Repository', {
    RepositoryName: 'demo/echo',
    ImageTagMutability: 'IMMUTABLE',
  });
  const uri = String(repository.attributes.RepositoryUri);

  const project = async ({
    commands = [LOGIN, BUILD],
    platform = 'linux/arm64',
    type = 'ARM_CONTAINER',
    tag = '1a',
  }: Settings = {}) => {
    const variables = { PLATFORM: platform, REGISTRY: ecr.host, IMAGE: `${uri}:${tag}` };
    const { ref } = await codebuild.resources['AWS::CodeBuild::Project']!('Project', {
      Artifacts: { Type: 'NO_ARTIFACTS' },
      Environment: {
        Type: type,
        ComputeType: 'BUILD_GENERAL1_SMALL',
        Image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0',
        PrivilegedMode: true,
        EnvironmentVariables: Object.entries(variables).map(([Name, Value]) => ({ Name, Value })),
      },
      LogsConfig: { CloudWatchLogs: { Status: 'ENABLED', GroupName: 'echo-logs' } },
      ServiceRole: `arn:aws:iam::${world.account}:role/Builder`,
      Source: {
        Type: 'S3',
        Location: 'assets/source.zip',
        BuildSpec: JSON.stringify({ version: '0.2', phases: { build: { commands } } }),
      },
    });
    return ref;
  };
  const start = async (projectName: string, idempotencyToken?: string) => {
    const answer = await world.clock.until(call(world, codebuild, 'StartBuild', { projectName, idempotencyToken }));
    return z.object({ build: z.object({ id: z.string() }) }).parse(answer).build.id;
  };
  const look = async (id: string) => {
    const answer = await world.clock.until(call(world, codebuild, 'BatchGetBuilds', { ids: [id] }));
    return z.object({ builds: z.array(z.record(z.string(), z.unknown())) }).parse(answer).builds[0] ?? {};
  };
  /** Builds and waits for the end. */
  const build = async (settings?: Settings) => {
    const id = await start(await project(settings));
    await world.clock.advance(300_000);
    return look(id);
  };
  /** As a node whose role may pull. */
  const login = async () => {
    const { authorizationData } = z
      .object({ authorizationData: z.tuple([z.object({ authorizationToken: z.string() })]) })
      .parse(await world.clock.until(call(world, ecr, 'GetAuthorizationToken', {})));
    const [, password = ''] = Buffer.from(authorizationData[0].authorizationToken, 'base64').toString().split(':');
    return { username: 'AWS', password };
  };
  const ask = async (image: string, shown = login()) => world.clock.until(registry.ask(image, await shown));
  return { world, ecr, codebuild, uri, project, start, look, build, ask, login, lines };
}

it('a build takes its time, then its image can be pulled', async () => {
  const { world, project, start, look, ask, uri } = await given();
  const id = await start(await project());
  expect(await look(id)).toMatchObject({ buildStatus: 'IN_PROGRESS', buildComplete: false });
  await world.clock.advance(300_000);
  expect(await look(id)).toMatchObject({ buildStatus: 'SUCCEEDED', buildComplete: true, currentPhase: 'COMPLETED' });
  expect(await ask(`${uri}:1a`)).toEqual({ architecture: 'arm64' });
});

it('a token starts one build', async () => {
  const { project, start } = await given();
  const name = await project();
  const id = await start(name, 'request-1');
  expect(await start(name, 'request-1')).toBe(id);
  expect(await start(name, 'request-2')).not.toBe(id);
});

it('a project that does not exist cannot build', async () => {
  const { world, codebuild } = await given();
  const refused = await world.clock.until(refusal(call(world, codebuild, 'StartBuild', { projectName: 'other' })));
  expect(refused.code).toBe('ResourceNotFoundException');
});

it('what is there already is not built and pushed again', async () => {
  const { build, lines } = await given();
  expect(await build()).toMatchObject({ buildStatus: 'SUCCEEDED' });
  writeFileSync(join(SOURCE, 'other'), 'now it would be another image, which an immutable tag refuses');
  expect(await build()).toMatchObject({ buildStatus: 'SUCCEEDED' });
  rmSync(join(SOURCE, 'other'));
  expect(lines.filter((line) => line.includes('ImageTagAlreadyExists'))).toEqual([]);
});

describe('a build fails when', () => {
  const without = (forbidden: string) => (action: string) => action !== forbidden;

  it.each([
    'ecr:GetAuthorizationToken',
    'ecr:BatchCheckLayerAvailability',
    'ecr:InitiateLayerUpload',
    'ecr:UploadLayerPart',
    'ecr:CompleteLayerUpload',
    'ecr:PutImage',
  ])('its role may not %s', async (action) => {
    let building = true;
    const { build, ask, uri } = await given((asked) => !building || without(action)(asked));
    const failed = { phaseType: 'BUILD', phaseStatus: 'FAILED', contexts: [expect.anything()] };
    expect(await build()).toMatchObject({ buildStatus: 'FAILED', phases: expect.arrayContaining([failed]) });
    building = false;
    expect(await ask(`${uri}:1a`)).toEqual({ status: 404 });
  });

  it('nobody lets CodeBuild have the role', async () => {
    const { build } = await given(() => true, 'not authorized to perform: sts:AssumeRole');
    const context = { statusCode: 'ACCESS_DENIED', message: 'not authorized to perform: sts:AssumeRole' };
    const failed = { phaseType: 'PROVISIONING', phaseStatus: 'FAILED', contexts: [context] };
    expect(await build()).toMatchObject({ buildStatus: 'FAILED', phases: expect.arrayContaining([failed]) });
  });

  it('its role may not read the source', async () => {
    const { build } = await given(without('s3:GetObject'));
    const context = { statusCode: 'CLIENT_ERROR', message: expect.stringContaining('Access Denied') };
    const failed = { phaseType: 'DOWNLOAD_SOURCE', phaseStatus: 'FAILED', contexts: [context] };
    expect(await build()).toMatchObject({ buildStatus: 'FAILED', phases: expect.arrayContaining([failed]) });
  });

  it('it does something that is not known here', async () => {
    const { build, lines } = await given();
    expect(await build({ commands: ['make'] })).toMatchObject({ buildStatus: 'FAILED' });
    expect(lines.join('\n')).toContain('does not know the command make');
  });

  it('the container has another architecture than the image', async () => {
    const { build } = await given();
    expect(await build({ type: 'LINUX_CONTAINER' })).toMatchObject({ buildStatus: 'FAILED' });
    expect(await build({ type: 'LINUX_CONTAINER', platform: 'linux/amd64' })).toMatchObject({
      buildStatus: 'SUCCEEDED',
    });
  });
});

describe('a pull is refused', () => {
  it('without a login, with a wrong one, and with one that is too old', async () => {
    const { world, build, ask, login, uri } = await given();
    await build();
    const old = await login();
    expect(await ask(`${uri}:1a`, Promise.resolve({ username: 'AWS', password: 'guessed' }))).toEqual({ status: 401 });
    expect(await ask(`${uri}:1a`, Promise.resolve(old))).toEqual({ architecture: 'arm64' });
    await world.clock.advance(12 * 3_600_000);
    expect(await ask(`${uri}:1a`, Promise.resolve(old))).toEqual({ status: 401 });
  });

  it('to a role that may not, although it may log in', async () => {
    let nodes = false;
    const { build, ask, uri } = await given((action) => !nodes || action !== 'ecr:BatchGetImage');
    await build();
    nodes = true;
    expect(await ask(`${uri}:1a`)).toEqual({ status: 403 });
  });

  it('of a tag and of a repository that do not exist', async () => {
    const { build, ask, uri, ecr } = await given();
    await build();
    expect(await ask(`${uri}:2b`)).toEqual({ status: 404 });
    expect(await ask(`${ecr.host}/demo/other:1a`)).toEqual({ status: 404 });
  });
});
