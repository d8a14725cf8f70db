import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect, type Socket } from 'node:net';
import { ScaledClock, VirtualClock } from '../../local/clock';
import { createSocketNetwork, type SocketNetwork } from '../../local/network-sockets';
import { networkContract } from './network.contract';

function get(url: string, path: string): Promise<{ status: number; body: string } | 'refused'> {
  const send = url.startsWith('https') ? httpsGet : httpGet;
  return new Promise((resolve) => {
    const request = send(`${url}${path}`, { agent: false, rejectUnauthorized: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', () => resolve('refused'));
  });
}

const opened = (url: string) =>
  new Promise<Socket>((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
  });
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));

/** What comes back for what was sent. */
const echoed = (socket: Socket, text: string) =>
  new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString()));
    socket.write(text);
  });

describe('the network on sockets', () => {
  networkContract(async () => {
    const clock = new VirtualClock();
    const network = await createSocketNetwork({ clock, ephemeral: true });
    return { network, clock, get: (_port, url, path) => get(url, path) };
  });

  describe('with connections that stay open', () => {
    let network: SocketNetwork;
    let address: string;
    beforeEach(async () => {
      network = await createSocketNetwork({ clock: new VirtualClock(), ephemeral: true });
      address = network.nextAddress();
      await network.listen(address, 7, { kind: 'echo' });
    });
    afterEach(() => network.close());

    const balanced = () => network.balance(7, () => ({ address, port: 7, proxyProtocol: false }));

    it('ends those to an address that is dropped', async () => {
      const { url, drop } = await balanced();
      const socket = await opened(url);
      expect(await echoed(socket, 'hello')).toBe('hello');
      drop('127.77.0.1');
      expect(await echoed(socket, 'again')).toBe('again');
      const end = closed(socket);
      drop(address);
      await end;
    });

    it('ends those that a new rule cuts, and lets new ones wait in vain until they are dropped', async () => {
      const { url, drop } = await balanced();
      const socket = await opened(url);
      expect(await echoed(socket, 'hello')).toBe('hello');
      const end = closed(socket);
      network.block((_, to) => to === address);
      await end;
      const waiting = await opened(url);
      const given = closed(waiting);
      // The balancer has accepted it by the time another connection is.
      (await opened(url)).destroy();
      drop(address);
      await given;
    });

    it('ends those to a service that stops listening', async () => {
      const other = network.nextAddress();
      const listening = await network.listen(other, 7, { kind: 'echo' });
      const { url } = await network.balance(8, () => ({ address: other, port: 7, proxyProtocol: false }));
      const socket = await opened(url);
      expect(await echoed(socket, 'hello')).toBe('hello');
      const end = closed(socket);
      await listening.close();
      await end;
    });
  });

  it('keeps two embedded AWSes of one machine apart', async () => {
    const clock = new VirtualClock();
    const first = await createSocketNetwork({ clock, ephemeral: true });
    const second = await createSocketNetwork({ clock, ephemeral: true });
    expect(second.octet).not.toBe(first.octet);
    await expect(createSocketNetwork({ clock, block: first.octet })).rejects.toMatchObject({ name: 'AddressInUse' });
    await Promise.all([first.close(), second.close()]);
  });

  it('moves low ports up by 8000', async () => {
    const network = await createSocketNetwork({ clock: new VirtualClock(), ephemeral: true });
    const address = network.nextAddress();
    await network.listen(address, 80, { kind: 'http', respond: () => ({ status: 204 }) });
    expect(await get(`http://${address}:8080`, '/')).toMatchObject({ status: 204 });
    await network.close();
  });

  it('does not take its own slowness for the network’s on a clock that runs fast', async () => {
    const clock = new ScaledClock(1000);
    const network = await createSocketNetwork({ clock, ephemeral: true });
    const address = network.nextAddress();
    await network.listen(address, 80, { kind: 'http', respond: () => ({ status: 200 }) });
    expect(await network.probe('nlb', address, 80, { protocol: 'HTTP', path: '/' }, 2000)).toMatchObject({ ok: true });
    clock.close();
    await network.close();
  });
});
