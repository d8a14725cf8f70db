/**
 * The images of a machine: what is on its disk, and how its kubelet and containerd get more. A registry that wants a
 * login gets one from the kubelet's credential providers, which are programs on the machine.
 * https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
 */
import { parse } from 'yaml';
import { z } from 'zod';
import type { ServerMachine } from './machine';

/** Where K3s tells the kubelet to look, when both exist (k3s pkg/cli/cmds/agent.go, ImageCredProvAvailable). */
const PROVIDERS = '/var/lib/rancher/credentialprovider';

export interface Login {
  username: string;
  password: string;
}

/** What a registry answers: the platform of the image, or the status of its refusal. */
export type Pulled = { architecture: 'amd64' | 'arm64' } | { status: 401 | 403 | 404 };

/** Registries whose images need a login. All others hold every image for every architecture. */
export interface Registries {
  holds(image: string): boolean;
  pull(image: string, login: Login | undefined): Promise<Pulled>;
}

/** Why a container does not run, as its status says it. */
export interface Waiting {
  reason: string;
  message?: string;
}

const CONFIG = z.strictObject({
  apiVersion: z.literal('kubelet.config.k8s.io/v1'),
  kind: z.literal('CredentialProviderConfig'),
  providers: z.array(
    z.strictObject({
      name: z.string().regex(/^[^/\s]+$/),
      apiVersion: z.literal('credentialprovider.kubelet.k8s.io/v1'),
      // Without wildcards: a host, and a path's beginning if any.
      matchImages: z.array(z.string().regex(/^[^*]+$/)).min(1),
      defaultCacheDuration: z.string(),
    }),
  ),
});

const RESPONSE = z.strictObject({
  apiVersion: z.literal('credentialprovider.kubelet.k8s.io/v1'),
  kind: z.literal('CredentialProviderResponse'),
  cacheKeyType: z.literal('Registry'),
  cacheDuration: z.string().transform(milliseconds),
  auth: z.record(z.string(), z.strictObject({ username: z.string(), password: z.string() })),
});

export class Images {
  private readonly present = new Set<string>();
  /** Of images on the disk that the machine's processor cannot run. */
  private readonly foreign = new Set<string>();
  /** By registry, until ms. */
  private readonly logins = new Map<string, { login: Login; until: number }>();

  constructor(private readonly machine: ServerMachine) {}

  has(image: string): boolean {
    return this.present.has(image);
  }

  add(image: string): void {
    this.present.add(image);
  }

  /** Whether an image is pulled with a login. */
  guarded(image: string): boolean {
    return this.machine.model.registries.holds(image);
  }

  /** Whether the machine's processor can run it, as far as it was pulled. */
  runs(image: string): boolean {
    return !this.foreign.has(image);
  }

  /** Pulls an image that needs a login. Undefined: it is there; otherwise what containerd says. */
  async pull(image: string): Promise<string | undefined> {
    const { instanceId, model, signal } = this.machine;
    const { registries, world } = model;
    await world.clock.sleep(world.latency.sample('image.pull', `${instanceId} ${image}`), signal);
    const login = await this.login(image);
    const pulled = await registries.pull(image, login);
    if ('status' in pulled) return refusal(image, pulled.status);
    this.present.add(image);
    // containerd checks the platform of an index's entries, not of a single image: that fails when it is run.
    if (pulled.architecture !== this.machine.architecture) this.foreign.add(image);
    return undefined;
  }

  private async login(image: string): Promise<Login | undefined> {
    const { files, model } = this.machine;
    const registry = image.slice(0, image.indexOf('/'));
    const cached = this.logins.get(registry);
    if (cached && cached.until > model.world.clock.now()) return cached.login;
    const text = files.read(`${PROVIDERS}/config.yaml`);
    if (text === undefined || files.list(`${PROVIDERS}/bin`).length === 0) return undefined;
    const provider = CONFIG.parse(parse(text)).providers.find(({ matchImages }) =>
      matchImages.some((match) => image === match || image.startsWith(`${match}/`)),
    );
    if (!provider) return undefined;
    const { exitCode, stdout } = await this.machine.execute(`${PROVIDERS}/bin/${provider.name}`);
    // The kubelet logs it and pulls without a login.
    if (exitCode !== 0) return undefined;
    const { auth, cacheDuration } = RESPONSE.parse(JSON.parse(stdout));
    const login = auth[registry];
    if (!login) return undefined;
    const until = model.world.clock.now() + cacheDuration;
    this.logins.set(registry, { login, until });
    return login;
  }
}

/** Of a duration as Go writes it: `6h0m0s`. */
function milliseconds(text: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** containerd's words (core/remotes/docker), as users report them: kubernetes/kops#16762. */
function refusal(image: string, status: 401 | 403 | 404): string {
  const resolve = `failed to pull and unpack image "${image}": failed to resolve reference "${image}"`;
  const [, registry = '', name = '', tag = ''] = /^([^/]+)\/([^:@]+)[:@](.+)$/.exec(image) ?? [];
  switch (status) {
    case 401:
      return (
        `${resolve}: pull access denied, repository does not exist or may require authorization: ` +
        'authorization failed: no basic auth credentials'
      );
    case 403:
      return `${resolve}: unexpected status from HEAD request to https://${registry}/v2/${name}/manifests/${tag}: 403 Forbidden`;
    case 404:
      return `${resolve}: ${image}: not found`;
  }
}
