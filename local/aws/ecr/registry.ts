/**
 * The registry in front of ECR, which Docker and containerd talk to. It takes a login from GetAuthorizationToken and does
 * each thing with the API call, and so with the permission, that AWS documents for it.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html (push), …/security_iam_id-based-policy-examples.html (pull)
 */
import { z } from 'zod';
import type { Caller } from '../../credentials';
import { callJson } from '../../wire/call';
import type { Endpoint } from '../../wire/http';
import { AwsError, type World } from '../service';
import { digestOf, type Ecr } from './index';

export interface Login {
  username: string;
  password: string;
}

/** As Go and OCI name it. */
export type Architecture = 'amd64' | 'arm64';

/** An HTTP status that the registry answers with. 401: who are you, 403: not you, 404: no such image. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: 401 | 403 | 404,
    message: string,
  ) {
    super(message);
  }
}

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const MANIFEST = z.object({ config: z.object({ digest: z.string() }) });
const IMAGES = z.object({ images: z.array(z.object({ imageManifest: z.string() })) });
const CONFIG = z.object({ architecture: z.enum(['amd64', 'arm64']) });
const UPLOAD = z.object({ uploadId: z.string() });

export class Registry {
  constructor(
    private readonly world: World,
    private readonly ecr: Ecr,
    private readonly endpoint: Endpoint,
  ) {}

  /** Whether an image's name says that it is here. */
  holds(image: string): boolean {
    return image.startsWith(`${this.ecr.host}/`);
  }

  /** @throws Refused */
  async pull(image: string, login: Login | undefined): Promise<{ architecture: Architecture }> {
    const api = this.api(login);
    const { repositoryName, id } = this.locate(image);
    const answer = await api('BatchGetImage', { repositoryName, imageIds: [id] });
    const [found] = IMAGES.parse(answer).images;
    if (!found) throw new Refused(404, 'Requested image not found');
    const { digest } = MANIFEST.parse(JSON.parse(found.imageManifest)).config;
    await api('GetDownloadUrlForLayer', { repositoryName, layerDigest: digest });
    return CONFIG.parse(JSON.parse(this.ecr.layer(repositoryName, digest)?.toString('utf8') ?? ''));
  }

  /** As `pull`, with the status of a refusal as the answer. */
  async ask(
    image: string,
    login: Login | undefined,
  ): Promise<{ architecture: Architecture } | Pick<Refused, 'status'>> {
    try {
      return await this.pull(image, login);
    } catch (error) {
      if (error instanceof Refused) return { status: error.status };
      throw error;
    }
  }

  /** An image of one layer. @throws Refused */
  async push(
    image: string,
    login: Login | undefined,
    { architecture, layer }: { architecture: Architecture; layer: Buffer },
  ): Promise<void> {
    const api = this.api(login);
    const { repositoryName, id } = this.locate(image);
    const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', rootfs: { diff_ids: [digestOf(layer)] } }));
    const blobs = [layer, config];
    await api('BatchCheckLayerAvailability', { repositoryName, layerDigests: blobs.map(digestOf) });
    for (const blob of blobs) {
      const { uploadId } = UPLOAD.parse(await api('InitiateLayerUpload', { repositoryName }));
      const part = { partFirstByte: 0, partLastByte: blob.length - 1, layerPartBlob: blob.toString('base64') };
      await api('UploadLayerPart', { repositoryName, uploadId, ...part });
      await api('CompleteLayerUpload', { repositoryName, uploadId, layerDigests: [digestOf(blob)] });
    }
    const [layers, configuration] = blobs.map((blob) => ({ digest: digestOf(blob), size: blob.length }));
    const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: configuration, layers: [layers] };
    await api('PutImage', { repositoryName, imageManifest: JSON.stringify(manifest), imageTag: id.imageTag });
  }

  private api(login: Login | undefined): (operation: string, input: object) => Promise<unknown> {
    const caller: Caller | undefined = login?.username === 'AWS' ? this.ecr.authenticate(login.password) : undefined;
    if (!caller) throw new Refused(401, 'no basic auth credentials');
    return async (operation, input) => {
      try {
        const { name: service, version: target } = this.ecr;
        return await callJson(this.endpoint, this.world, caller, { service, target, operation, input });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        if (error.code === 'AccessDeniedException') throw new Refused(403, error.message);
        if (error.code === 'RepositoryNotFoundException') throw new Refused(404, error.message);
        throw error;
      }
    };
  }

  private locate(image: string): { repositoryName: string; id: { imageTag?: string; imageDigest?: string } } {
    const match = /^[^/]+\/(?<name>[^:@]+)(?::(?<tag>[^@]+))?(?:@(?<digest>.+))?$/.exec(image)?.groups;
    if (!this.holds(image) || !match?.name) throw new Refused(404, `${image} is not of this registry`);
    const { name, tag = 'latest', digest } = match;
    return { repositoryName: name, id: digest ? { imageDigest: digest } : { imageTag: tag } };
  }
}
