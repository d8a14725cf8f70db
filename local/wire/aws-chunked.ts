import { AwsError } from '../aws/service';
import type { WireRequest } from './http';

/**
 * The payload of a request, out of the `aws-chunked` encoding in which SDK clients stream to S3: each chunk is
 * `<size in hex>[;chunk-signature=…]\r\n<data>\r\n`, a chunk of size 0 ends them, trailers follow.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * @throws AwsError IncompleteBody
 */
export function payload(request: WireRequest): Buffer {
  const chunked =
    request.headers['content-encoding']?.includes('aws-chunked') ||
    request.headers['x-amz-content-sha256']?.startsWith('STREAMING-');
  if (!chunked) return request.body;
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const end = request.body.indexOf('\r\n', position);
    const size = Number.parseInt(request.body.toString('latin1', position, end), 16);
    if (end < 0 || Number.isNaN(size) || end + 2 + size > request.body.length) {
      throw new AwsError('IncompleteBody', 'The aws-chunked body is malformed.');
    }
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(request.body.subarray(end + 2, end + 2 + size));
    position = end + 2 + size + 2;
  }
}
