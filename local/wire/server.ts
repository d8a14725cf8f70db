import { createServer, type IncomingMessage } from 'node:http';
import { ConnectionLost, type Endpoint, type WireRequest, type WireResponse } from './http';
import { listen } from './listen';

/** Answers what is not AWS' wire. */
export type Route = (request: WireRequest) => WireResponse | Promise<WireResponse>;

export interface ServeOptions {
  /** 0: any free port. */
  port: number;
  /** `<METHOD> <path>` → its handler; a path that ends in `/*` takes everything below. */
  routes?: Record<string, Route>;
}

export interface Served {
  port: number;
  url: string;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Serves the endpoint over HTTP on 127.0.0.1.
 *
 * @throws AddressInUse when the port is taken
 */
export async function serve(endpoint: Endpoint, { port, routes = {} }: ServeOptions): Promise<Served> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const request = await read(incoming);
      const route = routeOf(routes, request);
      const { status, headers, body } = await (route ? route(request) : endpoint(request));
      outgoing.writeHead(status, { 'content-length': body.length, ...headers }).end(body);
    } catch (error) {
      if (!(error instanceof ConnectionLost) && !incoming.errored && !outgoing.headersSent) {
        const text = error instanceof Error ? error.message : String(error);
        outgoing.writeHead(500, { 'content-type': 'text/plain' }).end(`${text}\n`);
        return;
      }
      incoming.socket.destroy();
    }
  });
  const bound = await listen(server, HOST, port);
  return {
    port: bound,
    url: `http://${HOST}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { url = '/', method = 'GET' } = incoming;
  const mark = url.indexOf('?');
  return {
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body: Buffer.concat(chunks),
  };
}

function routeOf(routes: Record<string, Route>, { method, path }: WireRequest): Route | undefined {
  const exact = routes[`${method} ${path}`];
  if (exact) return exact;
  for (const [pattern, route] of Object.entries(routes)) {
    if (pattern.endsWith('/*') && `${method} ${path}`.startsWith(pattern.slice(0, -1))) return route;
  }
  return undefined;
}

/** A route's JSON answer. */
export const jsonResponse = (value: unknown, status = 200): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(`${JSON.stringify(value)}\n`),
});
