import * as z from 'zod/mini';
import { Alerts } from '../../../functions/aws/alerts';
import { emulatedTable } from '../support/table';

const HOUR = 3_600_000;
const START = 100 * HOUR;

async function start() {
  const { table, run } = await emulatedTable();
  const alerts = new Alerts(table);
  const claim = (incident: string, eventId: string, at: number) => run(() => alerts.claim({ incident, eventId, at }));
  return { alerts, run, claim, table };
}

describe('an incident', () => {
  it('is told once a day', async () => {
    const { claim } = await start();
    expect(await claim('paused/i-1', 'a', START)).toBe(true);
    expect(await claim('paused/i-1', 'b', START + HOUR)).toBe(false);
    expect(await claim('paused/i-2', 'c', START + HOUR)).toBe(true);
    expect(await claim('paused/i-1', 'd', START + 25 * HOUR)).toBe(true);
  });

  it('is told again after everything was well in between', async () => {
    const { claim, alerts, run } = await start();
    await claim('paused/i-1', 'a', START);
    await run(() => alerts.resolve(START + HOUR));
    expect(await claim('paused/i-1', 'b', START + 2 * HOUR)).toBe(true);
  });

  it('is not told again by an event that the resolution has overtaken', async () => {
    const { claim, alerts, run } = await start();
    await claim('paused/i-1', 'a', START);
    await run(() => alerts.resolve(START + HOUR));
    await run(() => alerts.resolve(START - HOUR));
    expect(await claim('paused/i-1', 'b', START + 1000)).toBe(false);
    expect(await claim('paused/i-1', 'c', START + HOUR + 1)).toBe(true);
  });

  it('may be tried again by the same event until the message is out', async () => {
    const { claim, alerts, run } = await start();
    const occasion = { incident: 'x', eventId: 'a', at: START };
    await claim('x', 'a', START);
    expect(await claim('x', 'a', START)).toBe(true);
    await run(() => alerts.delivered(occasion));
    expect(await claim('x', 'a', START)).toBe(false);
  });

  it('is open for everybody when the message could not be sent', async () => {
    const { claim, alerts, run } = await start();
    await claim('x', 'a', START);
    await run(() => alerts.unclaim({ incident: 'x', eventId: 'a', at: START }));
    expect(await claim('x', 'b', START + 1000)).toBe(true);
  });

  it('expires by itself, after nothing needs it any more', async () => {
    const { claim, run, table } = await start();
    await claim('x', 'a', START);
    const item = await run(() => table.read('alert/x', z.object({ expiresAt: z.number() })));
    expect(item?.expiresAt).toBe((START + 48 * HOUR) / 1000);
  });
});
