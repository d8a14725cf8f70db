/**
 * The network on real sockets: instances have their own addresses in 127.77.<block>.0/24, which Linux routes to itself
 * without configuration, and the load balancer listens on 127.0.0.1. Ports below 1024, which only root may open, move
 * up by 8000.
 */
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest, type ServerOptions } from 'node:https';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Clock, Hold } from './clock';
import type { ClientIdentity, Listening, Network, NetworkService, Probe, ProbeResult, ProxyTarget } from './network';
import { proxyHeader, readProxyHeader } from './proxy-protocol';
import { Reachability } from './reachability';
import { AddressInUse, listen } from './wire/listen';

export interface SocketNetworkOptions {
  clock: Clock;
  /** Third octet of the instances' addresses; the first free one unless given. */
  block?: number;
  /** The load balancer's listeners take any free port. */
  ephemeral?: boolean;
}

/** Taken while a block is in use, so that no two embedded AWSes of one machine share it. */
const GUARD_PORT = 47177;
const BLOCKS = 256;
/** Addresses of a block that instances get. */
const FIRST_HOST = 10;
const LAST_HOST = 250;

/** Where a port of AWS is on this machine. */
export const localPort = (port: number) => (port < 1024 ? port + 8000 : port);

/**
 * @throws AddressInUse when the wanted block, or every block, is taken
 * @throws Error on a system that does not route 127.0.0.0/8 to itself
 */
export async function createSocketNetwork(options: SocketNetworkOptions): Promise<SocketNetwork> {
  const start = options.block ?? process.pid % BLOCKS;
  for (let offset = 0; offset < BLOCKS; offset++) {
    const block = (start + offset) % BLOCKS;
    const guard = createServer((socket) => socket.destroy());
    try {
      await listen(guard, `127.77.${block}.1`, GUARD_PORT);
      return new SocketNetwork(options.clock, block, options.ephemeral ?? false, guard);
    } catch (error) {
      if (error instanceof AddressInUse && options.block === undefined) continue;
      if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
      throw new Error('this system does not route 127.77.0.0/16 to itself: the embedded AWS needs Linux', {
        cause: error,
      });
    }
  }
  throw new AddressInUse('127.77.0.0/16', GUARD_PORT);
}

/** A client's connection through the load balancer. */
interface Link {
  address: string;
  client: Socket;
  upstream?: Socket;
}

export class SocketNetwork implements Network {
  private readonly open = new Set<Listening>();
  private readonly links = new Set<Link>();
  private readonly rules = new Reachability(() => this.cut((link) => !this.reachable('nlb', link.address)));
  /**
   * Health checks in flight by their own end of the connection. AWS time is not accelerated during a handshake, or a clock
   * that runs fast would turn the time that two cores need for it into an unhealthy target.
   */
  private readonly flights = new Map<string, Hold>();
  /** Clients behind PROXY headers by the load balancer's end of the connection. */
  private readonly clients = new Map<string, string>();
  private last = FIRST_HOST - 1;

  constructor(
    private readonly clock: Clock,
    /** The third octet of the instances' addresses. */
    readonly octet: number,
    private readonly ephemeral: boolean,
    private readonly guard: Server,
  ) {}

  /** The next address of the block; they come round again. */
  nextAddress(): string {
    this.last = this.last >= LAST_HOST ? FIRST_HOST : this.last + 1;
    return `127.77.${this.octet}.${this.last}`;
  }

  async listen(address: string, port: number, service: NetworkService): Promise<Listening> {
    const sockets = new Set<Socket>();
    const server = service.kind === 'echo' ? echoServer() : this.httpServer(service);
    server.on('connection', (socket: Socket) => track(socket, sockets));
    await listen(server, address, localPort(port));
    return this.opened(server, sockets);
  }

  async balance(
    port: number,
    pick: () => ProxyTarget | undefined,
  ): Promise<Listening & { url: string; drop(address: string): void }> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (client) => {
      track(client, sockets);
      const target = pick();
      if (target) this.forward(client, target, port);
      else client.resetAndDestroy();
    });
    const bound = await listen(server, '127.0.0.1', this.ephemeral ? 0 : localPort(port));
    const scheme = port === 443 || port === 6443 ? 'https' : 'http';
    const listening = this.opened(server, sockets);
    const mine = (link: Link) => sockets.has(link.client);
    return {
      url: `${scheme}://127.0.0.1:${bound}`,
      drop: (address) => this.cut((link) => mine(link) && link.address === address),
      close: () => listening.close(),
    };
  }

  async probe(from: string, address: string, port: number, probe: Probe, timeoutMs: number): Promise<ProbeResult> {
    if (!this.reachable(from, address)) {
      await this.clock.sleep(timeoutMs);
      return { ok: false, reason: 'timeout' };
    }
    const flight = this.clock.hold();
    try {
      return await this.fly(flight, from, address, localPort(port), probe, timeoutMs);
    } finally {
      flight.release();
    }
  }

  reachable(from: string, to: string): boolean {
    return this.rules.reachable(from, to);
  }

  block(rule: (from: string, to: string) => boolean): () => void {
    return this.rules.block(rule);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((listening) => listening.close()));
    await new Promise((resolve) => this.guard.close(resolve));
  }

  private opened(server: Server, sockets: Set<Socket>): Listening {
    const listening: Listening = {
      close: () =>
        new Promise((resolve) => {
          this.open.delete(listening);
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    };
    this.open.add(listening);
    return listening;
  }

  private cut(which: (link: Link) => boolean): void {
    for (const link of this.links) {
      if (!which(link)) continue;
      link.client.resetAndDestroy();
      link.upstream?.destroy();
    }
  }

  /** Joins a client to a target, byte by byte in both directions. */
  private forward(client: Socket, target: ProxyTarget, port: number): void {
    const link: Link = { address: target.address, client };
    this.links.add(link);
    client.once('close', () => this.links.delete(link));
    // Packets get lost on the way: the client waits until it gives up, or until the target is found unhealthy.
    if (!this.reachable('nlb', target.address)) return void client.resume();
    const upstream = connect({ host: target.address, port: localPort(target.port), allowHalfOpen: true });
    link.upstream = upstream;
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    upstream.once('error', () => client.resetAndDestroy());
    upstream.once('connect', () => {
      if (target.proxyProtocol) {
        const source = { address: client.remoteAddress ?? '127.0.0.1', port: client.remotePort ?? 0 };
        upstream.write(proxyHeader(source, { address: target.address, port }));
      }
      client.pipe(upstream).pipe(client);
    });
  }

  private httpServer(service: NetworkService & { kind: 'http' }): Server {
    const handler = (request: IncomingMessage, response: ServerResponse) => {
      this.respond(service, request, response).catch(() => request.socket.destroy());
    };
    const inner = service.tls ? createHttpsServer(tlsOptions(service.tls), handler) : createHttpServer(handler);
    if (!service.proxyProtocol) return inner;
    return createServer(async (socket) => {
      const address = await readProxyHeader(socket);
      if (!address) return void socket.destroy();
      const key = farEnd(socket);
      this.clients.set(key, address);
      socket.once('close', () => this.clients.delete(key));
      inner.emit('connection', socket);
    });
  }

  private async respond(
    service: NetworkService & { kind: 'http' },
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const key = farEnd(incoming.socket);
    // A service takes its own time on the clock, be it asked by a health check or by a client.
    const flight = this.flights.get(key);
    const answer = Promise.resolve(
      service.respond({
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: Object.fromEntries(
          Object.entries(incoming.headers).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.join(', ') : (value ?? ''),
          ]),
        ),
        body: Buffer.concat(chunks).toString('utf8'),
        clientAddress: this.clients.get(key) ?? incoming.socket.remoteAddress ?? '',
        client: identityOf(incoming.socket),
      }),
    );
    const { status, headers, body = '', stream } = await (flight ? flight.waiting(answer) : answer);
    if (!stream) {
      outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
      return;
    }
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort(new Error('the client is gone')));
    outgoing.writeHead(status, headers).write(body);
    outgoing.flushHeaders();
    for await (const piece of stream(gone.signal)) outgoing.write(piece);
    outgoing.end();
  }

  private fly(
    flight: Hold,
    from: string,
    host: string,
    port: number,
    probe: Probe,
    timeoutMs: number,
  ): Promise<ProbeResult> {
    return new Promise((resolve) => {
      let key = '';
      const localAddress = from.startsWith('127.') ? from : undefined;
      const settle = (result: ProbeResult) => {
        limit.cancel();
        this.flights.delete(key);
        end.destroy();
        resolve(result);
      };
      const failed = ({ code }: NodeJS.ErrnoException) =>
        settle({ ok: false, reason: code === 'ECONNREFUSED' ? 'refused' : 'reset' });
      const limit = this.clock.after(timeoutMs, () => settle({ ok: false, reason: 'timeout' }));
      const took = (socket: Socket) => {
        key = `${socket.localAddress}:${socket.localPort}`;
        this.flights.set(key, flight);
      };
      const end = this.dial(probe, { host, port, localAddress }, took, settle);
      end.on('error', failed);
    });
  }

  private dial(
    probe: Probe,
    to: { host: string; port: number; localAddress?: string },
    connected: (socket: Socket) => void,
    settle: (result: ProbeResult) => void,
  ) {
    if (probe.protocol === 'TCP') return connect(to, () => settle({ ok: true }));
    const send = probe.protocol === 'HTTPS' ? httpsRequest : httpRequest;
    // A load balancer does not verify the certificates of its targets.
    const request = send({ ...to, path: probe.path, agent: false, rejectUnauthorized: false }, (response) => {
      response.resume();
      settle({ ok: true, status: response.statusCode });
    });
    request.once('socket', (socket) => socket.once('connect', () => connected(socket)));
    return request.end();
  }
}

function tlsOptions({ key, cert, clientAuthority, select }: NonNullable<(NetworkService & { kind: 'http' })['tls']>) {
  const options: ServerOptions = { key, cert };
  if (clientAuthority !== undefined) {
    // Whoever has no certificate is answered too, as somebody unknown.
    Object.assign(options, { ca: clientAuthority, requestCert: true, rejectUnauthorized: false });
  }
  if (select) {
    options.SNICallback = (serverName, done) => {
      const own = select(serverName);
      done(null, own && createSecureContext(own));
    };
  }
  return options;
}

function identityOf(socket: Socket): ClientIdentity | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { CN, O } = socket.getPeerCertificate().subject;
  return typeof CN === 'string' ? { commonName: CN, organizations: [O ?? []].flat() } : undefined;
}

const farEnd = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress}:${remotePort}`;

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  // A peer that resets is no fault of ours, and `close` follows.
  socket.on('error', () => {});
}

const echoServer = () => createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
