import { Alerts } from '../../../functions/aws/alerts';
import { Unavailable } from '../../../functions/aws/errors';
import { notify } from '../../../functions/notify/notify';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';
import { deferred, executionEnded, PLACE, replaced } from './events';

async function start() {
  const { table, records, run } = await emulatedTable();
  const inbox: { subject: string; message: string }[] = [];
  const topic = {
    publish: async (subject: string, message: string) => {
      inbox.push({ subject, message });
    },
  };
  await run(() => records.want('present', 'life-1'));
  const deps = { ...PLACE, alerts: new Alerts(table), records, topic };
  const send = (event: object) => run(() => notify(event, deps, silent));
  return { inbox, topic, send, run, table };
}

describe('people are told', () => {
  it('once per incident, however often it is told of', async () => {
    const { send, inbox } = await start();
    expect(await send(deferred())).toMatchObject({ sent: true });
    expect(await send(deferred())).toMatchObject({ sent: false });
    expect(await send(deferred({ at: deferred().detail.at + 600_000 }, 'event-9'))).toMatchObject({ sent: false });
    expect(inbox).toHaveLength(1);
  });

  it('of another incident', async () => {
    const { send, inbox } = await start();
    await send(deferred());
    await send(deferred({ incident: 'majority-at-risk/i-9' }, 'event-9'));
    expect(inbox).toHaveLength(2);
  });

  it('again when it recurs after everything was well', async () => {
    const { send, inbox } = await start();
    const { at } = deferred().detail;
    await send(deferred({ at: at - 60_000 }));
    await send(replaced('event-8'));
    await send(deferred({ at: at + 60_000 }, 'event-9'));
    expect(inbox.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('not replaced'),
      expect.stringContaining('replaced'),
      expect.stringContaining('not replaced'),
    ]);
  });

  it('by the next delivery when the message could not be sent', async () => {
    const { send, inbox, topic } = await start();
    const { publish } = topic;
    topic.publish = () => Promise.reject(new Unavailable('SNS is down'));
    await expect(send(deferred())).rejects.toMatchObject({ name: 'Unavailable' });
    topic.publish = publish;
    expect(await send(deferred())).toMatchObject({ sent: true });
    expect(inbox).toHaveLength(1);
  });

  it('by the next event of the incident when the message of the first was never sent', async () => {
    const { send, inbox, topic } = await start();
    const { publish } = topic;
    topic.publish = () => Promise.reject(new Unavailable('SNS is down'));
    await expect(send(deferred())).rejects.toMatchObject({ name: 'Unavailable' });
    topic.publish = publish;
    expect(await send(deferred({ at: deferred().detail.at + 60_000 }, 'event-9'))).toMatchObject({ sent: true });
    expect(inbox).toHaveLength(1);
  });

  it('that healing is paused, also when the event does not know', async () => {
    const { send, inbox, run, table } = await start();
    await run(() => table.change('cluster', { set: [['paused', true]], when: [] }));
    await send(executionEnded('ABORTED'));
    expect(inbox[0]?.message).toContain('Healing:       PAUSED');
  });

  it('nothing of what concerns nobody', async () => {
    const { send, inbox } = await start();
    expect(await send(executionEnded('RUNNING'))).toEqual({ sent: false, what: 'nobody needs to be told' });
    expect(await send({ ...executionEnded('FAILED'), source: 'aws.s3' })).toMatchObject({ sent: false });
    expect(inbox).toEqual([]);
  });
});
