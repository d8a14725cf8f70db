/** The network without sockets, for simulation: who listens is a table, and a request is a function call. */
import type { Clock } from './clock';
import type {
  HttpRequest,
  HttpResponse,
  Listening,
  Network,
  NetworkService,
  Probe,
  ProbeResult,
  ProxyTarget,
} from './network';
import { Reachability } from './reachability';
import { AddressInUse } from './wire/listen';

/** What a client outside sees of a request through the load balancer. */
export type RequestResult =
  | { ok: true; address: string; response: HttpResponse }
  | { ok: false; address?: string; reason: 'timeout' | 'refused' | 'reset' };

/** How long a client waits for an answer, ms, unless it says otherwise. */
const CLIENT_TIMEOUT_MS = 5000;
const CLIENT_ADDRESS = '192.0.2.1';

const TIMEOUT = 'timeout';
const RESET = 'reset';

export class TableNetwork implements Network {
  private readonly services = new Map<string, NetworkService>();
  private readonly balancers = new Map<number, () => ProxyTarget | undefined>();
  private readonly rules = new Reachability();
  private last = 9;

  constructor(private readonly clock: Clock) {}

  /** The next address of the block; they come round again. */
  nextAddress(): string {
    this.last = this.last >= 250 ? 10 : this.last + 1;
    return `127.77.0.${this.last}`;
  }

  async listen(address: string, port: number, service: NetworkService): Promise<Listening> {
    const key = `${address}:${port}`;
    if (this.services.has(key)) throw new AddressInUse(address, port);
    this.services.set(key, service);
    return {
      close: async () => {
        if (this.services.get(key) === service) this.services.delete(key);
      },
    };
  }

  async probe(from: string, address: string, port: number, probe: Probe, timeoutMs: number): Promise<ProbeResult> {
    if (!this.rules.reachable(from, address)) {
      await this.clock.sleep(timeoutMs);
      return { ok: false, reason: 'timeout' };
    }
    const service = this.services.get(`${address}:${port}`);
    if (!service) return { ok: false, reason: 'refused' };
    if (probe.protocol === 'TCP') return { ok: true };
    if (
      service.kind !== 'http' ||
      service.proxyProtocol ||
      (probe.protocol === 'HTTPS') !== (service.tls !== undefined)
    ) {
      return { ok: false, reason: 'reset' };
    }
    const request = { method: 'GET', path: probe.path, headers: {}, body: '', clientAddress: from };
    const response = await this.answer(service, request, timeoutMs);
    return typeof response === 'string' ? { ok: false, reason: response } : { ok: true, status: response.status };
  }

  async balance(
    port: number,
    pick: () => ProxyTarget | undefined,
  ): Promise<Listening & { url: string; drop(address: string): void }> {
    if (this.balancers.has(port)) throw new AddressInUse('127.0.0.1', port);
    this.balancers.set(port, pick);
    return {
      url: `http://127.0.0.1:${port}`,
      // A request is answered within one call: no connection is ever open between two.
      drop: () => {},
      close: async () => {
        this.balancers.delete(port);
      },
    };
  }

  /**
   * One request from outside through a load balancer's listener.
   *
   * @param timeoutMs how long the client waits, AWS time
   */
  async request(
    port: number,
    { method = 'GET', path = '/', headers = {}, body = '', client }: Partial<HttpRequest> = {},
    timeoutMs = CLIENT_TIMEOUT_MS,
  ): Promise<RequestResult> {
    const target = this.balancers.get(port)?.();
    if (!target) return { ok: false, reason: 'refused' };
    const { address } = target;
    if (!this.rules.reachable('nlb', address)) {
      await this.clock.sleep(timeoutMs);
      return { ok: false, address, reason: 'timeout' };
    }
    const service = this.services.get(`${address}:${target.port}`);
    if (!service) return { ok: false, address, reason: 'refused' };
    if (service.kind !== 'http' || (service.proxyProtocol ?? false) !== target.proxyProtocol) {
      return { ok: false, address, reason: 'reset' };
    }
    const clientAddress = target.proxyProtocol ? CLIENT_ADDRESS : 'nlb';
    const response = await this.answer(service, { method, path, headers, body, clientAddress, client }, timeoutMs);
    return typeof response === 'string' ? { ok: false, address, reason: response } : { ok: true, address, response };
  }

  reachable(from: string, to: string): boolean {
    return this.rules.reachable(from, to);
  }

  block(rule: (from: string, to: string) => boolean): () => void {
    return this.rules.block(rule);
  }

  async close(): Promise<void> {
    this.services.clear();
    this.balancers.clear();
  }

  private async answer(
    service: NetworkService & { kind: 'http' },
    request: HttpRequest,
    timeoutMs: number,
  ): Promise<HttpResponse | typeof TIMEOUT | typeof RESET> {
    let expire: (reason: typeof TIMEOUT) => void = () => {};
    const limit = new Promise<typeof TIMEOUT>((resolve) => {
      expire = resolve;
    });
    const timer = this.clock.after(timeoutMs, () => expire(TIMEOUT));
    try {
      return await Promise.race([limit, (async () => service.respond(request))()]);
    } catch {
      // As on a socket: a service that fails breaks the connection.
      return RESET;
    } finally {
      timer.cancel();
    }
  }
}
