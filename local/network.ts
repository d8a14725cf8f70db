/**
 * The VPC's network as the parts of the embedded AWS see it: who listens where, who reaches whom. One implementation
 * uses real sockets on 127.77.0.0/16, one is a table for simulation.
 */

export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  /** The client as the service sees it: from the PROXY header where one is spoken. */
  clientAddress: string;
  /** Who the client proved to be, where the service asks for a certificate. */
  client?: ClientIdentity;
}

/** The subject of a client's certificate that the service's authority has signed. */
export interface ClientIdentity {
  commonName: string;
  organizations: readonly string[];
}

export interface HttpResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** What follows the body, piece by piece, until it ends or `gone` is aborted because the client went. */
  stream?(gone: AbortSignal): AsyncIterable<string>;
}

/** PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** What answers on an address and port. */
export type NetworkService =
  /** Returns every byte, as `socat` with PIPE does. */
  | { kind: 'echo' }
  | {
      kind: 'http';
      /** Present: the service speaks TLS. */
      tls?: Certificate & {
        /** PEM. Present: clients are asked for a certificate, and known by one that it has signed. */
        clientAuthority?: string;
        /** Another certificate for the name that a client asks for; undefined: the usual one. */
        select?(serverName: string): Certificate | undefined;
      };
      /** Every connection must start with a PROXY protocol v2 header. */
      proxyProtocol?: boolean;
      respond(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
    };

export interface Listening {
  close(): Promise<void>;
}

export type Probe = { protocol: 'TCP' } | { protocol: 'HTTP' | 'HTTPS'; path: string };

export type ProbeResult = { ok: true; status?: number } | { ok: false; reason: 'timeout' | 'refused' | 'reset' };

export interface ProxyTarget {
  address: string;
  port: number;
  proxyProtocol: boolean;
}

export interface Network {
  /** Starts to listen. Rejects when the address and port are taken. */
  listen(address: string, port: number, service: NetworkService): Promise<Listening>;
  /** One health check from `from` (an address or `nlb`) to an address and port; never rejects. */
  probe(from: string, address: string, port: number, probe: Probe, timeoutMs: number): Promise<ProbeResult>;
  /**
   * Forwards connections that arrive at a load balancer's listener to whatever `pick` returns for each new connection
   * (undefined: refused). `drop` ends the connections to one address. Resolves with the URL people use.
   */
  balance(
    port: number,
    pick: () => ProxyTarget | undefined,
  ): Promise<Listening & { url: string; drop(address: string): void }>;
  /** Whether packets pass between two addresses (`nlb` is outside every zone). False under a partition or a frozen end. */
  reachable(from: string, to: string): boolean;
  /** Adds a rule; returns its removal. A packet passes only if no rule blocks it. */
  block(rule: (from: string, to: string) => boolean): () => void;
  close(): Promise<void>;
}
