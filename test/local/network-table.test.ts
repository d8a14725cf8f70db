import { VirtualClock } from '../../local/clock';
import { TableNetwork } from '../../local/network-table';
import { networkContract } from './network.contract';

describe('the network as a table', () => {
  networkContract(async () => {
    const clock = new VirtualClock();
    const network = new TableNetwork(clock);
    return {
      network,
      clock,
      get: async (port, _url, path) => {
        const result = await clock.until(network.request(port, { path }));
        return result.ok ? { status: result.response.status, body: result.response.body ?? '' } : 'refused';
      },
    };
  });

  it('lets a client wait in vain for a target that is cut off', async () => {
    const clock = new VirtualClock();
    const network = new TableNetwork(clock);
    const address = network.nextAddress();
    await network.balance(80, () => ({ address, port: 80, proxyProtocol: false }));
    network.block((_, to) => to === address);
    const before = clock.now();
    expect(await clock.until(network.request(80, {}, 2000))).toEqual({ ok: false, address, reason: 'timeout' });
    expect(clock.now() - before).toBe(2000);
  });
});
