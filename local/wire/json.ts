import { AwsError } from '../aws/service';
import type { Codec } from './protocol';

/** Timestamps are epoch seconds, blobs base64, maps objects. `JSON.stringify` calls `toJSON` first: undo it for Dates. */
export function toJson(value: unknown): string {
  return JSON.stringify(value ?? {}, function (key, converted) {
    const original: unknown = this[key];
    if (original instanceof Date) return original.getTime() / 1000;
    if (original instanceof Map) return Object.fromEntries(original);
    if (Buffer.isBuffer(original)) return original.toString('base64');
    return converted;
  });
}

/** @throws AwsError SerializationException */
export function fromJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new AwsError('SerializationException', `The request body is not JSON: ${(error as Error).message}`);
  }
}

/**
 * JSON 1.0 and 1.1: the operation is in `x-amz-target`, `<version>.<operation>`.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export function json(version: '1.0' | '1.1'): Codec {
  const headers = (requestId: string) => ({
    'content-type': `application/x-amz-json-${version}`,
    'x-amzn-requestid': requestId,
  });
  return {
    read(request, service) {
      const target = request.headers['x-amz-target'] ?? '';
      const dot = target.lastIndexOf('.');
      if (dot < 1 || target.slice(0, dot) !== service.version) {
        throw new AwsError(
          'UnknownOperationException',
          `The target ${target || '(none)'} is not one of ${service.version}.*`,
        );
      }
      return { operation: target.slice(dot + 1), input: fromJson(request.body) };
    },
    write: (output, _operation, _service, requestId) => ({
      status: 200,
      headers: headers(requestId),
      body: Buffer.from(toJson(output)),
    }),
    writeError: (error, _service, requestId) => ({
      status: error.status,
      headers: { ...headers(requestId), 'x-amzn-errortype': error.code },
      body: Buffer.from(toJson({ __type: error.code, message: error.message, ...error.detail })),
    }),
  };
}
