import { createHash } from 'node:crypto';
import type { Clock } from '../../../clock';
import type { MachineSpec } from '../../../machine';
import type { UrlSource } from './curl';

const PATHS: Record<string, (spec: MachineSpec) => string> = {
  'meta-data/instance-id': (spec) => spec.instanceId,
  'meta-data/instance-type': (spec) => spec.instanceType,
  'meta-data/local-ipv4': (spec) => spec.privateIp,
  'meta-data/placement/availability-zone': (spec) => spec.availabilityZone,
  'meta-data/placement/region': (spec) => spec.region,
};

const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

/**
 * The instance metadata service at 169.254.169.254 with `HttpTokens: required`: first a token, then data.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
export function metadataService(clock: Clock): UrlSource {
  /** Instance id and token → when it expires, ms. */
  const tokens = new Map<string, number>();

  return async ({ spec }, { method, url, headers }) => {
    if (url.hostname !== '169.254.169.254') return undefined;
    const path = /^\/latest\/(.+)$/.exec(url.pathname)?.[1];
    if (url.protocol !== 'http:' || !path) return { status: 404, body: '' };

    if (path === 'api/token') {
      if (method !== 'PUT') return { status: 405, body: '' };
      const ttl = Number(headers[TTL_HEADER]);
      if (!(Number.isInteger(ttl) && ttl >= 1 && ttl <= 21_600)) return { status: 400, body: '' };
      const token = createHash('sha256').update(`${spec.instanceId} ${clock.now()}`).digest('base64url');
      tokens.set(`${spec.instanceId} ${token}`, clock.now() + ttl * 1000);
      return { status: 200, body: token };
    }
    const expiry = tokens.get(`${spec.instanceId} ${headers[TOKEN_HEADER]}`) ?? 0;
    if (clock.now() >= expiry) return { status: 401, body: '' };
    const value = Object.hasOwn(PATHS, path) ? PATHS[path] : undefined;
    return method === 'GET' && value ? { status: 200, body: value(spec) } : { status: 404, body: '' };
  };
}
