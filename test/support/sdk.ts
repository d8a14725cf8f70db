import { Readable } from 'node:stream';
import type { HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import type { World } from '../../local/aws/service';
import type { Hold, VirtualClock } from '../../local/clock';
import type { Caller } from '../../local/credentials';
import type { Endpoint, WireRequest, WireResponse } from '../../local/wire/http';

async function bytes(body: HttpRequest['body']): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A request of an SDK client as the wire carries it. */
export async function wireRequest(request: HttpRequest): Promise<WireRequest> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) query.append(name, item ?? '');
  }
  return {
    method: request.method,
    path: request.path,
    query,
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: await bytes(request.body),
  };
}

/** An answer of the wire as SDK clients take it. */
export function fromWire({ status, headers, body }: WireResponse): { response: HttpResponse } {
  return { response: { statusCode: status, headers, body: Readable.from([body]) } };
}

/** Plugs an endpoint into SDK clients (`requestHandler`) without a socket between them. */
export function requestHandler(endpoint: Endpoint): RequestHandler<HttpRequest, HttpResponse> & {
  updateHttpClientConfig(): void;
  httpHandlerConfigs(): Record<string, never>;
} {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    handle: async (request) => fromWire(await endpoint(await wireRequest(request))),
  };
}

/** The configuration of an SDK client that talks to an endpoint as `caller`, without retries unless asked for. */
export function clientConfig(world: World, endpoint: Endpoint, caller: Caller = issueTester(world)) {
  return {
    region: world.region,
    endpoint: 'http://127.0.0.1:4566',
    credentials: {
      accessKeyId: caller.accessKeyId,
      secretAccessKey: caller.secretAccessKey,
      sessionToken: caller.sessionToken,
    },
    maxAttempts: 1,
    requestHandler: requestHandler(endpoint),
  };
}

function issueTester(world: World): Caller {
  return world.credentials.issue(`arn:aws:sts::${world.account}:assumed-role/Tester/test`);
}

/**
 * A way to await SDK calls in virtual time: the client's own work (signing, reading the profile) stops the clock, and
 * waiting for an answer does not, exactly as with a Lambda.
 *
 * @param caller whose calls these are; it must be the one the client signs as
 */
export function sender(clock: VirtualClock, caller: Caller): <T>(call: () => Promise<T>) => Promise<T> {
  return (call) => {
    const hold: Hold = clock.hold();
    caller.hold = hold;
    return clock.until(
      call().finally(() => {
        hold.release();
        caller.hold = undefined;
      }),
    );
  };
}
