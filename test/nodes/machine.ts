import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { VirtualClock } from '../../local/clock';
import type { Files, MachineContext } from '../../local/k3s/command';
import { BashMachineHost } from '../../local/k3s/host/bash-host';
import type { ScriptMachineHost } from '../../local/k3s/host/machine-host';
import type { HostOptions } from '../../local/k3s/host/options';
import { TwinMachineHost } from '../../local/k3s/host/twin-host';
import { Latency } from '../../local/latency';
import type { Machine, MachineSpec } from '../../local/machine';
import { Random } from '../../local/random';
import type { Endpoint } from '../../local/wire/http';
import { renderUserData } from '../../nodes/render';
import { FakeK3s } from './fake-k3s';

export const TOKEN = 'the-join-token';
export const REGISTRY_PASSWORD = 'cmVnaXN0cnk=';
export const INSTANCE = 'i-0123456789abcdef0';
export const ADDRESS = '127.77.1.1';
export const MANIFESTS = `# object: Service - b
# object: Deployment.apps web a
---
kind: Namespace
---
kind: Service
---
kind: Deployment
image: repository.invalid/tcpecho:1a2b
`;

export const USER_DATA = {
  CLUSTER: 'demo',
  REGION: 'eu-west-3',
  TOKEN_SECRET: 'k3s-demo/token',
  REGISTRY: '123456789012.dkr.ecr.eu-west-3.amazonaws.com',
  TLS_SAN: 'k3s-demo-0123456789abcdef.elb.eu-west-3.amazonaws.com',
  K3S_VERSION: 'v1.33.5+k3s1',
  K3S_SHA256: '',
};

export const SPEC: MachineSpec = {
  instanceId: INSTANCE,
  privateIp: ADDRESS,
  availabilityZone: 'eu-west-3a',
  region: 'eu-west-3',
  instanceType: 't4g.small',
  architecture: 'arm64',
  userData: renderUserData(USER_DATA),
  credentials: { accessKeyId: 'ASIANODE', secretAccessKey: 'secret', sessionToken: 'session' },
};

const SECRET_INPUT = z.object({ SecretId: z.string() });

/** Secrets Manager with the join token, ECR with one login and S3 with one object; `error` replaces every answer. */
export class FakeAws {
  error: { status: number; code: string } | undefined;
  token = TOKEN;
  manifests = MANIFESTS;
  readonly scopes: string[] = [];

  readonly endpoint: Endpoint = async ({ method, path, headers, body }) => {
    const scope = /Credential=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
    this.scopes.push(scope);
    const answer = (status: number, text: string) => ({ status, headers: {}, body: Buffer.from(text) });
    const s3 = scope.includes('/s3/');
    if (this.error) {
      const { status, code } = this.error;
      return answer(status, s3 ? `<Error><Code>${code}</Code></Error>` : `{"__type":"${code}","message":"no"}`);
    }
    if (s3) {
      if (path !== '/assets/manifests.yaml') return answer(404, '<Error><Code>NoSuchKey</Code></Error>');
      return answer(200, method === 'HEAD' ? '' : this.manifests);
    }
    if (scope.includes('/ecr/')) {
      const authorizationToken = Buffer.from(`AWS:${REGISTRY_PASSWORD}`).toString('base64');
      return answer(200, JSON.stringify({ authorizationData: [{ authorizationToken }] }));
    }
    const { SecretId } = SECRET_INPUT.parse(JSON.parse(body.toString()));
    if (SecretId !== USER_DATA.TOKEN_SECRET) return answer(400, '{"__type":"ResourceNotFoundException"}');
    return answer(200, JSON.stringify({ SecretString: this.token }));
  };
}

export type HostKind = 'bash' | 'twin';

/** The disk of a machine of `SPEC`, for the tests of a file. */
let image: string | undefined;
const copying = (from: string, to: string) => `#!/bin/bash\ncp -a "${from}/." "${to}"\n`;

/** Removes what `prepared` keeps. */
export function cleanUp(): void {
  if (image !== undefined) rmSync(image, { recursive: true });
}

/** One machine on either host, with a scripted K3s and AWS around it, in virtual time. */
export class Rig {
  readonly clock = new VirtualClock();
  readonly k3s = new FakeK3s(() => this.clock.now());
  readonly aws = new FakeAws();
  readonly events: string[] = [];
  readonly logs: string[] = [];
  /** Of the last boot. */
  context!: MachineContext;
  files!: Files;
  host!: ScriptMachineHost;
  machine!: Machine;
  private readonly directory = mkdtempSync(join(tmpdir(), 'k3s-ha-test-'));

  static async start(kind: HostKind, extra: Partial<HostOptions> = {}): Promise<Rig> {
    const rig = new Rig();
    const options: HostOptions = {
      clock: rig.clock,
      latency: new Latency(new Random(1)),
      endpoint: rig.aws.endpoint,
      commands: rig.k3s.commands,
      urls: rig.k3s.urls,
      events: {
        onBoot: (context) => {
          const { files, spec } = context;
          rig.context = context;
          rig.files = files;
          rig.events.push(`boot ${spec.instanceId}`);
        },
        onKill: (id) => rig.events.push(`kill ${id}`),
        onFreeze: (id) => rig.events.push(`freeze ${id}`),
        onErase: (id) => rig.events.push(`erase ${id}`),
      },
      log: (message, detail) => rig.logs.push(`${message} ${JSON.stringify(detail)}`),
      ...extra,
    };
    rig.host =
      kind === 'bash'
        ? await BashMachineHost.start({ ...options, directory: rig.directory })
        : new TwinMachineHost(options);
    return rig;
  }

  async boot(spec: Partial<MachineSpec> = {}): Promise<void> {
    this.machine = await this.clock.until(this.host.boot({ ...SPEC, ...spec }));
  }

  /** Boots and lets user data finish. */
  async ready(spec: Partial<MachineSpec> = {}): Promise<void> {
    await this.boot(spec);
    await this.clock.advance(90_000);
  }

  /** As user data leaves the machine. Bash carries it out the first time only, because that takes a quarter of a second. */
  async prepared(): Promise<void> {
    if (this.host instanceof TwinMachineHost) return this.ready();
    if (image === undefined) {
      await this.ready();
      const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-image-'));
      await this.run(copying('$NODE_ROOT', directory));
      image = directory;
    } else {
      await this.ready({ userData: copying(image, '$NODE_ROOT') });
    }
  }

  run(script: string, environment: Record<string, string> = {}, limit = 300) {
    return this.clock.until(this.machine.run(script, environment, limit));
  }

  /** Every regular file of the machine and its content; links to the K3s binary are left out. */
  snapshot(directory = '/'): Record<string, string> {
    const found: Record<string, string> = {};
    for (const name of this.files.list(directory)) {
      const path = `${directory === '/' ? '' : directory}/${name}`;
      const content = this.files.read(path);
      if (content === undefined) Object.assign(found, this.snapshot(path));
      else if (!/\/usr\/local\/bin\/(kubectl|crictl|ctr)$/.test(path)) found[path] = content;
    }
    return found;
  }

  async close(): Promise<void> {
    await this.host.close();
    this.clock.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
