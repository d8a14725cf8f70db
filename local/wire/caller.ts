import type { World } from '../aws/service';
import type { Caller } from '../credentials';
import type { WireRequest } from './http';

/** Who signed a request, for which region and service: the scope of its SigV4 credential. */
export interface Scope {
  accessKeyId: string;
  region: string;
  service: string;
}

const CREDENTIAL = /^(?<accessKeyId>[^/]+)\/\d{8}\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request$/;

/**
 * The scope from the Authorization header, or from the query string of a presigned URL; undefined when unsigned.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function scopeOf({ headers, query }: WireRequest): Scope | undefined {
  const signed = /^AWS4-HMAC-SHA256 .*?Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1];
  const { accessKeyId, region, service } = CREDENTIAL.exec(signed ?? query.get('X-Amz-Credential') ?? '')?.groups ?? {};
  return accessKeyId && region && service ? { accessKeyId, region, service } : undefined;
}

/**
 * The principal behind an access key: one that the embedded AWS issued, with the session token it was issued with, or
 * the account's root user for the made-up long-term key of a person's profile. A temporary key (`ASIA…`) that nobody
 * issued here is real AWS' and is refused. The signature itself is not verified: nobody here has anything to steal.
 */
export function callerOf(world: World, { accessKeyId }: Scope, request: WireRequest): Caller | undefined {
  const issued = world.credentials.lookup(accessKeyId);
  if (issued) {
    const token = request.headers['x-amz-security-token'] ?? request.query.get('X-Amz-Security-Token');
    return token === issued.sessionToken ? issued : undefined;
  }
  if (accessKeyId.startsWith('ASIA')) return undefined;
  return { accessKeyId, secretAccessKey: '', sessionToken: '', principal: `arn:aws:iam::${world.account}:root` };
}
