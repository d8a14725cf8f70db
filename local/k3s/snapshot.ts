/**
 * etcd snapshots as files: what a snapshot holds, encrypted with the server token as K3s encrypts its bootstrap data, so
 * that a file can travel to another machine and only restores with the token of its time.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';
import type { Random } from '../random';
import { keyOf } from './api';
import type { Cluster, ClusterIdentity } from './cluster';
import { KubeObject } from './objects';

const AuthoritySchema = z.object({ name: z.string(), cert: z.string(), key: z.string() });

const Content = z.object({
  identity: z.object({
    authority: AuthoritySchema,
    clientAuthority: AuthoritySchema,
    token: z.string(),
    critical: z.record(z.string(), z.string()),
  }),
  objects: z.array(KubeObject),
});

const File = z.object({ format: z.literal('k3s-model-snapshot'), iv: z.string(), tag: z.string(), data: z.string() });

export interface Restored {
  identity: ClusterIdentity;
  data: Map<string, KubeObject>;
}

export function packSnapshot({ identity, etcd }: Cluster, random: Random): string {
  const iv = Buffer.from(random.hex(24), 'hex');
  const cipher = createCipheriv('aes-256-gcm', keyFrom(identity.token), iv);
  const content: z.infer<typeof Content> = { identity, objects: [...etcd.values()] };
  const data = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
  const file: z.infer<typeof File> = {
    format: 'k3s-model-snapshot',
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
  return JSON.stringify(file);
}

/** Undefined when the token is not the one of the snapshot. Throws on a file that is no snapshot. */
export function unpackSnapshot(text: string, token: string): Restored | undefined {
  const { iv, tag, data } = File.parse(JSON.parse(text));
  const decipher = createDecipheriv('aes-256-gcm', keyFrom(token), Buffer.from(iv, 'base64'));
  decipher.setAuthTag(Buffer.from(tag, 'base64'));
  let plain: string;
  try {
    plain = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]).toString('utf8');
  } catch {
    // Authentication failed: another key.
    return undefined;
  }
  const { identity, objects } = Content.parse(JSON.parse(plain));
  const entries = objects.map((object): [string, KubeObject] => {
    const { name, namespace } = object.metadata;
    return [keyOf(object.kind, name, namespace), object];
  });
  return { identity, data: new Map(entries) };
}

function keyFrom(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
