/** A request and a response of the AWS wire, free of sockets: the HTTP server and simulations call the same endpoint. */
export interface WireRequest {
  method: string;
  /** Still percent-encoded, without the query string. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Rejects with ConnectionLost when the caller must see a broken connection instead of an answer. */
export type Endpoint = (request: WireRequest) => Promise<WireResponse>;

/** The call took effect, but its answer is lost on the way (fault `lost-reply`). */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /** As Node reports it; SDK clients retry on it. */
  readonly code = 'ECONNRESET';

  constructor() {
    super('socket hang up');
  }
}
