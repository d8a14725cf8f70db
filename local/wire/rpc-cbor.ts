import { AwsError } from '../aws/service';
import { decodeCbor, encodeCbor } from './cbor';
import type { WireRequest } from './http';
import type { Codec } from './protocol';

const PATH = /^\/service\/(?<service>[^/]+)\/operation\/(?<operation>[^/]+)$/;

/** Whether a request speaks Smithy RPC v2, as the AWS CLI does with CloudWatch, whose SDK client speaks JSON. */
export const speaksCbor = ({ headers }: WireRequest) => headers['smithy-protocol'] === 'rpc-v2-cbor';

const headers = (requestId: string) => ({
  'content-type': 'application/cbor',
  'smithy-protocol': 'rpc-v2-cbor',
  'x-amzn-requestid': requestId,
});

/** https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html */
export const rpcCbor: Codec = {
  read(request, service) {
    const { service: target, operation } = PATH.exec(request.path)?.groups ?? {};
    if (target !== service.version || !operation) {
      throw new AwsError('UnknownOperationException', `The path ${request.path} is not one of ${service.version}.`);
    }
    try {
      return { operation, input: request.body.length > 0 ? decodeCbor(request.body) : {} };
    } catch (error) {
      throw new AwsError('SerializationException', (error as Error).message);
    }
  },
  write: (output, _operation, _service, requestId) => ({
    status: 200,
    headers: headers(requestId),
    body: encodeCbor(output ?? {}),
  }),
  writeError: (error, _service, requestId) => ({
    status: error.status,
    headers: headers(requestId),
    body: encodeCbor({ __type: error.code, message: error.message, ...error.detail }),
  }),
};
