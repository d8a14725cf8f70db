import type { CommandOnInstance } from '../../../functions/aws/in-flight';
import { releaseLease } from '../../../functions/release-lease/release-lease';
import { OURS, THEIRS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

async function start() {
  const emulated = await emulatedTable();
  const inFlight: CommandOnInstance[] = [];
  const deps = { leases: emulated.leases, cancelInFlight: async () => inFlight };
  const release = () => emulated.run(() => releaseLease({ execution: OURS }, deps, silent));
  return { ...emulated, inFlight, release };
}

describe('releasing the lease', () => {
  it('frees it for the next execution', async () => {
    const { leases, run, release } = await start();
    await run(() => leases.acquire(OURS, 'cluster', 1));
    expect(await release()).toEqual({ released: true });
    expect(await run(() => leases.read())).toBeNull();
  });

  it('waits for commands that it has to cancel', async () => {
    const { leases, run, release, inFlight } = await start();
    await run(() => leases.acquire(OURS, 'cluster', 1));
    inFlight.push({ commandId: 'c-1', instanceId: 'i-1' });
    await expect(release()).rejects.toMatchObject({
      name: 'CommandInFlight',
      message: expect.stringContaining('c-1 on i-1'),
    });
    inFlight.pop();
    expect(await release()).toEqual({ released: true });
  });

  it('leaves the lease of another alone', async () => {
    const { leases, run, release } = await start();
    await run(() => leases.acquire(THEIRS, 'cluster', 1));
    expect(await release()).toEqual({ released: false });
    expect(await run(() => leases.read())).toMatchObject({ holder: THEIRS });
  });

  it('is harmless when nobody holds it', async () => {
    const { release } = await start();
    expect(await release()).toEqual({ released: false });
  });
});
