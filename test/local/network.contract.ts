import { generate } from 'selfsigned';
import type { VirtualClock } from '../../local/clock';
import type { HttpRequest, HttpResponse, Listening, Network, NetworkService } from '../../local/network';

export interface NetworkHarness {
  network: Network & { nextAddress(): string };
  clock: VirtualClock;
  /** A GET from outside through a balanced listener: the status and body, or `refused`. */
  get(port: number, url: string, path: string): Promise<{ status: number; body: string } | 'refused'>;
}

const http = (respond: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>) =>
  ({ kind: 'http', respond }) satisfies NetworkService;

const saying = (body: string) => http(() => ({ status: 200, body }));

/** What every implementation of the network promises. */
export function networkContract(create: () => Promise<NetworkHarness>): void {
  let harness: NetworkHarness;
  beforeEach(async () => {
    harness = await create();
  });
  afterEach(() => harness.network.close());

  const probe = (...parameters: Parameters<Network['probe']>) =>
    harness.clock.until(harness.network.probe(...parameters));

  it('answers a TCP probe where somebody listens and refuses it elsewhere', async () => {
    const { network } = harness;
    const address = network.nextAddress();
    const listening = await network.listen(address, 32000, { kind: 'echo' });
    expect(await probe('nlb', address, 32000, { protocol: 'TCP' }, 6000)).toEqual({ ok: true });
    expect(await probe('nlb', address, 80, { protocol: 'TCP' }, 6000)).toEqual({ ok: false, reason: 'refused' });
    await listening.close();
    expect(await probe('nlb', address, 32000, { protocol: 'TCP' }, 6000)).toEqual({ ok: false, reason: 'refused' });
  });

  it('does not let two services share an address and port', async () => {
    const { network } = harness;
    const address = network.nextAddress();
    const first = await network.listen(address, 6443, saying('a'));
    await expect(network.listen(address, 6443, saying('b'))).rejects.toMatchObject({ name: 'AddressInUse' });
    await network.listen(network.nextAddress(), 6443, saying('b'));
    await first.close();
    await expect(network.listen(address, 6443, saying('c'))).resolves.toBeDefined();
  });

  it('probes HTTP and HTTPS, with the path and the status of the answer', async () => {
    const { network } = harness;
    const address = network.nextAddress();
    const seen: HttpRequest[] = [];
    const respond = (request: HttpRequest) => {
      seen.push(request);
      return { status: request.path === '/readyz' ? 401 : 404 };
    };
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'k3s' }], { keySize: 2048 });
    await network.listen(address, 6443, { ...http(respond), tls: { key, cert } });
    await network.listen(address, 80, http(respond));
    const readyz = { protocol: 'HTTPS', path: '/readyz' } as const;
    expect(await probe('nlb', address, 6443, readyz, 6000)).toEqual({ ok: true, status: 401 });
    expect(await probe('nlb', address, 80, { protocol: 'HTTP', path: '/' }, 6000)).toEqual({ ok: true, status: 404 });
    expect(seen.map(({ method, path }) => [method, path])).toEqual([
      ['GET', '/readyz'],
      ['GET', '/'],
    ]);
    const wrong = { ok: false, reason: 'reset' };
    expect(await probe('nlb', address, 80, readyz, 6000)).toEqual(wrong);
    expect(await probe('nlb', address, 6443, { protocol: 'HTTP', path: '/' }, 6000)).toEqual(wrong);
  });

  it('resets an HTTP probe of what does not speak HTTP, or expects a PROXY header, or fails', async () => {
    const { network } = harness;
    const address = network.nextAddress();
    await network.listen(address, 1, { kind: 'echo' });
    await network.listen(address, 2, { ...saying('x'), proxyProtocol: true });
    await network.listen(
      address,
      3,
      http(() => {
        throw new Error('defect');
      }),
    );
    for (const port of [1, 2, 3]) {
      const answer = await probe('nlb', address, port, { protocol: 'HTTP', path: '/' }, 6000);
      expect(answer).toEqual({ ok: false, reason: 'reset' });
    }
  });

  it('times a probe out in AWS time', async () => {
    const { network, clock } = harness;
    const address = network.nextAddress();
    const slow = http(async () => {
      await clock.sleep(4000);
      return { status: 200 };
    });
    await network.listen(address, 80, slow);
    const check = { protocol: 'HTTP', path: '/' } as const;
    const before = clock.now();
    expect(await probe('nlb', address, 80, check, 3000)).toEqual({ ok: false, reason: 'timeout' });
    expect(clock.now() - before).toBe(3000);
    expect(await probe('nlb', address, 80, check, 6000)).toEqual({ ok: true, status: 200 });
  });

  it('loses packets that a rule blocks, until the rule is removed', async () => {
    const { network, clock } = harness;
    const [a, b] = [network.nextAddress(), network.nextAddress()];
    await network.listen(b, 6443, { kind: 'echo' });
    const unblock = network.block((from, to) => from === a || to === a);
    expect([network.reachable(a, b), network.reachable(b, a), network.reachable('nlb', b)]).toEqual([
      false,
      false,
      true,
    ]);
    const before = clock.now();
    expect(await probe(a, b, 6443, { protocol: 'TCP' }, 2000)).toEqual({ ok: false, reason: 'timeout' });
    expect(clock.now() - before).toBe(2000);
    expect(await probe('nlb', b, 6443, { protocol: 'TCP' }, 2000)).toEqual({ ok: true });
    unblock();
    expect(await probe(a, b, 6443, { protocol: 'TCP' }, 2000)).toEqual({ ok: true });
  });

  it('balances each new connection to whatever is picked', async () => {
    const { network, get } = harness;
    const addresses = [network.nextAddress(), network.nextAddress()];
    for (const address of addresses) await network.listen(address, 80, saying(address));
    const picks = [addresses[0], addresses[1], undefined];
    const { url } = await network.balance(80, () => {
      const address = picks.shift();
      return address ? { address, port: 80, proxyProtocol: false } : undefined;
    });
    expect(await get(80, url, '/')).toEqual({ status: 200, body: addresses[0] });
    expect(await get(80, url, '/')).toEqual({ status: 200, body: addresses[1] });
    expect(await get(80, url, '/')).toBe('refused');
  });

  it('tells the target its client in a PROXY header when that is asked for, and only then', async () => {
    const { network, get } = harness;
    const address = network.nextAddress();
    const seen: string[] = [];
    const respond = ({ clientAddress, path }: HttpRequest) => {
      seen.push(clientAddress);
      return { status: 200, body: path };
    };
    await network.listen(address, 80, { ...http(respond), proxyProtocol: true });
    let proxyProtocol = true;
    const { url } = await network.balance(80, () => ({ address, port: 80, proxyProtocol }));
    expect(await get(80, url, '/demo')).toEqual({ status: 200, body: '/demo' });
    expect(seen).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/)]);
    expect(seen[0]).not.toBe(address);
    proxyProtocol = false;
    expect(await get(80, url, '/demo')).toBe('refused');
  });

  it('speaks TLS behind the load balancer', async () => {
    const { network, get } = harness;
    const address = network.nextAddress();
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'k3s' }], { keySize: 2048 });
    await network.listen(address, 443, { ...saying('secure'), tls: { key, cert }, proxyProtocol: true });
    const { url } = await network.balance(443, () => ({ address, port: 443, proxyProtocol: true }));
    expect(await get(443, url, '/')).toEqual({ status: 200, body: 'secure' });
  });

  it('gives a balanced port once, and again after it was closed', async () => {
    const { network } = harness;
    const none = () => undefined;
    const balancer: Listening = await network.balance(80, none);
    await balancer.close();
    await expect(network.balance(80, none)).resolves.toBeDefined();
  });
}
