import type { Server } from 'node:net';

/** Another process, or another listener of this one, has the address. */
export class AddressInUse extends Error {
  override readonly name = 'AddressInUse';

  constructor(
    readonly address: string,
    readonly port: number,
  ) {
    super(`${address}:${port} is already in use`);
  }
}

/**
 * Listens on an address; port 0 is any free one. Resolves with the port.
 *
 * @throws AddressInUse
 */
export function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new AddressInUse(address, port) : error);
    server.once('error', failed);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', failed);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound ? bound.port : port);
    });
  });
}
