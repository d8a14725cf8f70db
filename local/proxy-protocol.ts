/**
 * The PROXY protocol, version 2, for TCP over IPv4: how a network load balancer tells a target who its client is.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2
 */
import type { Socket } from 'node:net';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const FIXED = 16;
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;

interface End {
  address: string;
  port: number;
}

const bytes = (address: string) => Buffer.from(address.split('.').map(Number));

export function proxyHeader(source: End, destination: End): Buffer {
  const header = Buffer.alloc(FIXED + 12);
  SIGNATURE.copy(header);
  header.writeUInt8(VERSION_2_PROXY, 12);
  header.writeUInt8(TCP_OVER_IPV4, 13);
  header.writeUInt16BE(12, 14);
  bytes(source.address).copy(header, 16);
  bytes(destination.address).copy(header, 20);
  header.writeUInt16BE(source.port, 24);
  header.writeUInt16BE(destination.port, 26);
  return header;
}

/** Takes `length` bytes off a socket, leaving the rest to its next reader; undefined when it ends before. */
function take(socket: Socket, length: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const attempt = () => {
      const chunk: Buffer | null = socket.read(length);
      if (chunk?.length === length) settle(chunk);
    };
    const lost = () => settle(undefined);
    const settle = (result: Buffer | undefined) => {
      socket.off('readable', attempt).off('end', lost).off('close', lost);
      resolve(result);
    };
    socket.on('readable', attempt).on('end', lost).on('close', lost);
    attempt();
  });
}

/** Reads the header off a new connection: the client's address, or undefined when what arrives is no such header. */
export async function readProxyHeader(socket: Socket): Promise<string | undefined> {
  const fixed = await take(socket, FIXED);
  if (!fixed?.subarray(0, SIGNATURE.length).equals(SIGNATURE) || fixed[12] !== VERSION_2_PROXY) return undefined;
  const addresses = await take(socket, fixed.readUInt16BE(14));
  if (!addresses || fixed[13] !== TCP_OVER_IPV4) return undefined;
  return addresses.subarray(0, 4).join('.');
}
