import { AwsError } from '../aws/service';
import type { WireRequest } from './http';
import { toJson } from './json';
import { decodePath } from './path';
import type { Codec } from './protocol';

interface Route {
  method: string;
  path: RegExp;
  operation: string;
  input(request: WireRequest, match: Record<string, string>): Record<string, unknown>;
}

/** The routes of Lambda. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const ROUTES: Route[] = [
  {
    method: 'POST',
    path: /^\/2015-03-31\/functions\/(?<FunctionName>[^/]+)\/invocations$/,
    operation: 'Invoke',
    input: ({ headers, body }) => ({
      InvocationType: headers['x-amz-invocation-type'],
      LogType: headers['x-amz-log-type'],
      ClientContext: headers['x-amz-client-context'],
      Payload: body.toString('utf8'),
    }),
  },
  {
    method: 'GET',
    path: /^\/2015-03-31\/functions\/(?<FunctionName>[^/]+)$/,
    operation: 'GetFunction',
    input: () => ({}),
  },
  { method: 'GET', path: /^\/2015-03-31\/functions\/?$/, operation: 'ListFunctions', input: () => ({}) },
];

/** Output members of Invoke that travel as headers. */
const HEADERS: Record<string, string> = {
  FunctionError: 'x-amz-function-error',
  LogResult: 'x-amz-log-result',
  ExecutedVersion: 'x-amz-executed-version',
};

const defined = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/**
 * REST with JSON, for Lambda. `Invoke` gets and returns its `Payload` as text (or a Buffer); every query parameter
 * becomes an input member of its own name, so that the operation's schema refuses what it does not know.
 */
export const restJson: Codec = {
  read(request) {
    for (const route of ROUTES) {
      const match = route.method === request.method ? route.path.exec(request.path) : null;
      if (!match) continue;
      const groups = Object.fromEntries(
        Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodePath(value)]),
      );
      return {
        operation: route.operation,
        input: defined({ ...Object.fromEntries(request.query), ...groups, ...route.input(request, groups) }),
      };
    }
    throw new AwsError(
      'UnknownOperationException',
      `No operation of this service is at ${request.method} ${request.path}.`,
      404,
    );
  },
  write(output, operation, _service, requestId) {
    const headers: Record<string, string> = { 'content-type': 'application/json', 'x-amzn-requestid': requestId };
    if (operation !== 'Invoke' || typeof output !== 'object' || output === null) {
      return { status: 200, headers, body: Buffer.from(toJson(output)) };
    }
    const { StatusCode, Payload, ...rest } = output as Record<string, unknown>;
    for (const [member, value] of Object.entries(defined(rest))) {
      const header = HEADERS[member];
      if (!header) throw new Error(`Invoke has no output member ${member}`);
      headers[header] = String(value);
    }
    return {
      status: typeof StatusCode === 'number' ? StatusCode : 200,
      headers,
      body: Buffer.isBuffer(Payload) ? Payload : Buffer.from(typeof Payload === 'string' ? Payload : ''),
    };
  },
  writeError: (error, _service, requestId) => ({
    status: error.status,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
    body: Buffer.from(
      toJson({ Type: error.status < 500 ? 'User' : 'Service', message: error.message, ...error.detail }),
    ),
  }),
};
