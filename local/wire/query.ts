import { AwsError } from '../aws/service';
import type { WireRequest, WireResponse } from './http';
import type { Codec, Parsed } from './protocol';
import { nest } from './query-keys';
import { element, elements, XML_DECLARATION } from './xml';

/**
 * The parameters of a query request: of the form, or of the query string of a GET.
 *
 * @throws AwsError MissingAction.
 */
function readQuery(request: WireRequest): Parsed {
  const parameters = request.body.length > 0 ? new URLSearchParams(request.body.toString('utf8')) : request.query;
  const operation = parameters.get('Action');
  if (!operation) throw new AwsError('MissingAction', 'The request is missing an action parameter.');
  const input = [...parameters].filter(([key]) => key !== 'Action' && key !== 'Version' && !key.startsWith('X-Amz-'));
  return { operation, input: nest(input) };
}

const respond = (status: number, requestId: string, xml: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
  body: Buffer.from(XML_DECLARATION + xml),
});

/**
 * The query protocol of Elastic Load Balancing, SNS, STS and IAM.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export const query: Codec = {
  read: readQuery,
  write: (output, operation, { name, version }, requestId) =>
    respond(
      200,
      requestId,
      `<${operation}Response xmlns="http://${name}.amazonaws.com/doc/${version}/">` +
        element(`${operation}Result`, output ?? {}, 'member') +
        `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`,
    ),
  writeError: (error, { name, version }, requestId) =>
    respond(
      error.status,
      requestId,
      `<ErrorResponse xmlns="http://${name}.amazonaws.com/doc/${version}/"><Error>` +
        `<Type>${error.status < 500 ? 'Sender' : 'Receiver'}</Type>` +
        `${elements({ Code: error.code, Message: error.message, ...error.detail }, 'member')}</Error>` +
        `<RequestId>${requestId}</RequestId></ErrorResponse>`,
    ),
};

/**
 * The dialect of EC2: lists are `item`, the result is not wrapped, errors are a list. Handlers return EC2's own XML
 * names (`reservationSet`). https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
export const ec2: Codec = {
  read: readQuery,
  write: (output, operation, { version }, requestId) =>
    respond(
      200,
      requestId,
      `<${operation}Response xmlns="http://ec2.amazonaws.com/doc/${version}/"><requestId>${requestId}</requestId>` +
        `${elements(typeof output === 'object' && output ? output : {}, 'item')}</${operation}Response>`,
    ),
  writeError: (error, _service, requestId) =>
    respond(
      error.status,
      requestId,
      `<Response><Errors><Error>${elements({ Code: error.code, Message: error.message }, 'item')}</Error></Errors>` +
        `<RequestID>${requestId}</RequestID></Response>`,
    ),
};
