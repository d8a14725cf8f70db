import { AwsError } from '../aws/service';
import { payload } from './aws-chunked';
import type { WireRequest } from './http';
import { decodePath } from './path';
import type { Codec, Parsed } from './protocol';
import { element, elements, XML_DECLARATION } from './xml';

/** Query parameters of requests and their input member. */
const PARAMETERS: Record<string, string> = {
  'continuation-token': 'ContinuationToken',
  delimiter: 'Delimiter',
  'encoding-type': 'EncodingType',
  'fetch-owner': 'FetchOwner',
  'max-keys': 'MaxKeys',
  prefix: 'Prefix',
  'start-after': 'StartAfter',
  versionId: 'VersionId',
};

/** Headers of requests and their input member. */
const REQUEST_HEADERS: Record<string, string> = {
  'cache-control': 'CacheControl',
  'content-disposition': 'ContentDisposition',
  'content-type': 'ContentType',
  'if-match': 'IfMatch',
  'if-none-match': 'IfNoneMatch',
  range: 'Range',
  'x-amz-server-side-encryption': 'ServerSideEncryption',
  'x-amz-storage-class': 'StorageClass',
};

/** Headers that belong to signing, checksums and transport, not to the operation. */
const TRANSPORT =
  /^x-amz-(date|content-sha256|security-token|user-agent|decoded-content-length|trailer|te|sdk-.*|checksum-.*)$/;

/** Output members that travel as headers. */
const RESPONSE_HEADERS: Record<string, string> = {
  AcceptRanges: 'accept-ranges',
  BucketRegion: 'x-amz-bucket-region',
  ContentLength: 'content-length',
  ContentRange: 'content-range',
  ContentType: 'content-type',
  ETag: 'etag',
  LastModified: 'last-modified',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  VersionId: 'x-amz-version-id',
};

function operationOf({ method, query }: WireRequest, key: string, bucket: string): string | undefined {
  if (key) {
    return { GET: 'GetObject', HEAD: 'HeadObject', PUT: 'PutObject', DELETE: 'DeleteObject' }[method];
  }
  if (!bucket) return method === 'GET' ? 'ListBuckets' : undefined;
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
  if (method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2';
  return undefined;
}

/**
 * @throws AwsError MethodNotAllowed, naming the request
 */
function read(request: WireRequest): Parsed {
  const [, bucket = '', rest = ''] = /^\/([^/]*)\/?(.*)$/.exec(request.path) ?? [];
  const key = decodePath(rest);
  const operation = operationOf(request, key, bucket);
  if (!operation) {
    throw new AwsError(
      'MethodNotAllowed',
      `The embedded S3 does not know ${request.method} ${request.path}?${request.query}.`,
      405,
    );
  }
  const input: Record<string, unknown> = {};
  if (bucket) input.Bucket = decodePath(bucket);
  if (key) input.Key = key;
  for (const [name, value] of request.query) {
    if (name === 'x-id' || name === 'list-type' || name === 'location' || name.startsWith('X-Amz-')) continue;
    input[PARAMETERS[name] ?? name] = value;
  }
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    const member = REQUEST_HEADERS[name];
    if (member) {
      if (name !== 'content-type' || operation === 'PutObject') input[member] = value;
    } else if (name.startsWith('x-amz-meta-')) metadata[name.slice('x-amz-meta-'.length)] = value;
    else if (name.startsWith('x-amz-') && !TRANSPORT.test(name)) input[name] = value;
  }
  if (Object.keys(metadata).length > 0) input.Metadata = metadata;
  if (operation === 'PutObject') input.Body = payload(request);
  return { operation, input };
}

/** Root elements of operations whose output is a document. */
const DOCUMENTS: Record<string, string> = {
  ListObjectsV2: 'ListBucketResult',
  ListBuckets: 'ListAllMyBucketsResult',
  GetBucketLocation: 'LocationConstraint',
};

/** REST with XML, for S3 in path style. `PutObject` gets and `GetObject` returns its `Body` as a Buffer. */
export const restXml: Codec = {
  read,
  write(output, operation, { version }, requestId) {
    const members = typeof output === 'object' && output ? (output as Record<string, unknown>) : {};
    const root = DOCUMENTS[operation];
    if (root) {
      const namespace = ` xmlns="http://s3.amazonaws.com/doc/${version}/"`;
      return {
        status: 200,
        headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
        body: Buffer.from(XML_DECLARATION + element(root, members, 'flat', namespace)),
      };
    }
    const headers: Record<string, string> = { 'x-amz-request-id': requestId };
    for (const [member, value] of Object.entries(members)) {
      if (member === 'Body' || value === undefined) continue;
      if (member === 'Metadata') {
        for (const [name, text] of Object.entries(value as object)) headers[`x-amz-meta-${name}`] = String(text);
        continue;
      }
      const header = RESPONSE_HEADERS[member];
      if (!header) throw new Error(`${operation} has no output member ${member}`);
      headers[header] = value instanceof Date ? value.toUTCString() : String(value);
    }
    const body = Buffer.isBuffer(members.Body) ? members.Body : Buffer.from(String(members.Body ?? ''));
    const status = operation === 'DeleteObject' ? 204 : members.ContentRange === undefined ? 200 : 206;
    return { status, headers, body };
  },
  writeError: (error, _service, requestId) => ({
    status: error.status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body: Buffer.from(
      `${XML_DECLARATION}<Error>${elements(
        { Code: error.code, Message: error.message, ...error.detail, RequestId: requestId },
        'flat',
      )}</Error>`,
    ),
  }),
};
