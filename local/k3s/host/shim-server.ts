import { createServer, type Server, type Socket } from 'node:net';
import type { CommandResult } from '../command';

export interface ShimRequest {
  /** Names the process that asks. */
  secret: string;
  program: string;
  args: string[];
  stdin: string;
}

/** Answers one command. `gone` is aborted when the shim was killed before the answer. */
export type ShimHandler = (request: ShimRequest, gone: AbortSignal) => Promise<CommandResult>;

/** The other end of the shims: one loopback connection per command. */
export class ShimServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly handle: ShimHandler) {
    this.server = createServer((socket) => this.serve(socket));
  }

  /** Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address();
        if (address && typeof address === 'object') resolve(address.port);
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    let handled = false;
    const gone = new AbortController();
    this.sockets.add(socket);
    socket.setNoDelay(true);
    // A killed shim resets the connection; `close` follows and tells the handler.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.sockets.delete(socket);
      gone.abort(new Error('the program was killed'));
    });
    socket.on('data', (chunk) => {
      if (handled) return;
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const request = parse(received);
      if (!request) return;
      handled = true;
      this.handle(request, gone.signal).then(
        ({ exitCode, stdout, stderr }) => {
          // Bash variables cannot hold NUL, and a shim must not wait for bytes that it drops.
          const [out, err] = [stdout, stderr].map((text) => Buffer.from(text.replaceAll('\0', '')));
          socket.end(Buffer.concat([Buffer.from(`${exitCode} ${out!.length} ${err!.length}\n`), out!, err!]));
        },
        () => socket.destroy(),
      );
    });
  }
}

/** Undefined while bytes are missing. */
function parse(bytes: Buffer): ShimRequest | undefined {
  let position = 0;
  const line = () => {
    const end = bytes.indexOf('\n', position);
    if (end < 0) return undefined;
    const text = bytes.toString('utf8', position, end);
    position = end + 1;
    return text;
  };
  const [secret, program, count] = [line(), line(), line()];
  if (secret === undefined || program === undefined || count === undefined) return undefined;
  const fields: string[] = [];
  while (fields.length <= Number(count)) {
    const colon = bytes.indexOf(':', position);
    if (colon < 0) return undefined;
    const end = colon + 1 + Number(bytes.toString('latin1', position, colon));
    if (end > bytes.length) return undefined;
    fields.push(bytes.toString('utf8', colon + 1, end));
    position = end;
  }
  return { secret, program, args: fields.slice(0, -1), stdin: fields.at(-1)! };
}
