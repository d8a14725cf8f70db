/**
 * The container of a build, as far as the commands of an image's build go: log in, see whether the image is there, build,
 * push. What they do to AWS they do with the project's role. Any other command is not found.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Caller } from '../../credentials';
import { callJson } from '../../wire/call';
import type { Endpoint } from '../../wire/http';
import { type Architecture, type Login, Refused, type Registry } from '../ecr/registry';
import { AwsError, type World } from '../service';

export interface ContainerOptions {
  world: World;
  endpoint: Endpoint;
  registry: Registry;
  /** With the credentials of the project's role. */
  caller: Caller;
  /** The unzipped source. */
  directory: string;
  architecture: Architecture;
  privileged: boolean;
  variables: Readonly<Record<string, string>>;
  /** Takes one line of the build's log. */
  log(line: string): void;
}

const LOGIN = z.object({ authorizationData: z.tuple([z.object({ authorizationToken: z.string() })]) });

/** A command that ends with another status than 0. */
class Failure extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Container {
  private login: Login | undefined;
  private built: { image: string; layer: Buffer; architecture: Architecture } | undefined;

  constructor(private readonly options: ContainerOptions) {}

  /** Runs a command of a buildspec: commands joined by `&&`, `||` and braces. Returns its exit status. */
  async run(command: string): Promise<number> {
    this.options.log(`Running command ${command}`);
    const alternatives = command.split(' || ');
    let status = 0;
    for (const alternative of alternatives) {
      status = await this.sequence(alternative.replace(/^\{ (.*); \}$/, '$1').split(' && '));
      if (status === 0) return 0;
    }
    return status;
  }

  private async sequence(commands: readonly string[]): Promise<number> {
    for (const command of commands) {
      try {
        await this.simple(command.trim());
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.options.log(error.message);
        return error.status;
      }
    }
    return 0;
  }

  private async simple(text: string): Promise<void> {
    const command = text.replace(/"?\$(\w+)"?/g, (_, name: string) => this.options.variables[name] ?? '');
    const found = COMMANDS.find(({ form }) => form.test(command));
    if (!found) throw new Failure(127, `the embedded CodeBuild does not know the command ${command}`);
    if (command.startsWith('docker') && !this.options.privileged) {
      throw new Failure(
        1,
        'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      );
    }
    await found.run(this, found.form.exec(command)?.groups ?? {});
  }

  /** `docker login` with what ECR gives the role. */
  async logIn(): Promise<void> {
    const { endpoint, world, caller } = this.options;
    try {
      const operation = {
        service: 'ecr',
        target: 'AmazonEC2ContainerRegistry_V20150921',
        operation: 'GetAuthorizationToken',
      };
      const answer = LOGIN.parse(await callJson(endpoint, world, caller, { ...operation, input: {} }));
      const [username = '', password = ''] = Buffer.from(answer.authorizationData[0].authorizationToken, 'base64')
        .toString('utf8')
        .split(':');
      this.login = { username, password };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new Failure(
        1,
        `An error occurred (${error.code}) when calling the GetAuthorizationToken operation: ${error.message}`,
      );
    }
  }

  async inspect(image: string): Promise<void> {
    await this.refusable(this.options.registry.pull(image, this.login));
  }

  /** Programs of another architecture do not run here: the container has no emulation. */
  build(platform: string, image: string): void {
    const { directory, architecture } = this.options;
    if (!readdirSync(directory).includes('Dockerfile')) {
      throw new Failure(
        1,
        'ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory',
      );
    }
    const wanted = platform === 'linux/arm64' ? 'arm64' : 'amd64';
    if (wanted !== architecture && /^RUN /m.test(readFileSync(join(directory, 'Dockerfile'), 'utf8'))) {
      throw new Failure(1, 'ERROR: failed to solve: process "/bin/sh -c apk add" did not complete: exec format error');
    }
    this.built = { image, layer: contentOf(directory), architecture: wanted };
  }

  async push(image: string): Promise<void> {
    if (this.built?.image !== image) throw new Failure(1, `An image does not exist locally with the tag: ${image}`);
    await this.refusable(this.options.registry.push(image, this.login, this.built));
  }

  private async refusable(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof Refused) throw new Failure(1, `${error.status}: ${error.message}`);
      if (error instanceof AwsError) throw new Failure(1, `${error.code}: ${error.message}`);
      throw error;
    }
  }
}

const IMAGE = '(?<image>\\S+)';
const COMMANDS: readonly {
  form: RegExp;
  run(container: Container, groups: Record<string, string>): Promise<void> | void;
}[] = [
  {
    form: /^aws ecr get-login-password --region \S+ \| docker login --username AWS --password-stdin \S+$/,
    run: (container) => container.logIn(),
  },
  {
    form: new RegExp(`^docker manifest inspect ${IMAGE} >/dev/null$`),
    run: (container, { image = '' }) => container.inspect(image),
  },
  {
    form: new RegExp(`^docker build --platform (?<platform>linux/(?:amd64|arm64)) --tag ${IMAGE} \\.$`),
    run: (container, { platform = '', image = '' }) => container.build(platform, image),
  },
  { form: new RegExp(`^docker push ${IMAGE}$`), run: (container, { image = '' }) => container.push(image) },
];

/** Stands for the layer that a build would make: other sources make another. */
function contentOf(directory: string): Buffer {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (statSync(path).isFile()) hash.update(name).update(readFileSync(path));
  }
  return hash.digest();
}
