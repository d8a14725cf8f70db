import { createHash, createHmac } from 'node:crypto';
import type { MachineSpec } from '../machine';
import type { WireRequest } from './http';

export interface Unsigned {
  service: string;
  region: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/**
 * A request without query parameters signed with Signature Version 4, as the AWS CLI does with the role's credentials.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function sign(request: Unsigned, credentials: MachineSpec['credentials'], now: number): WireRequest {
  const { service, region, method, path, body } = request;
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  const bodyHash = sha256(body);
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': time,
    'x-amz-security-token': credentials.sessionToken,
  };
  const names = Object.keys(headers).sort();
  const signedHeaders = names.join(';');
  const canonicalHeaders = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = [method, path, '', canonicalHeaders, signedHeaders, bodyHash].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { method, path, query: new URLSearchParams(), headers, body: Buffer.from(body) };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
