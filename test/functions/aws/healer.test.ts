import { Healer } from '../../../functions/aws/healer';
import { emulatedTable } from '../support/table';

it('the healer remembers what it tried, what was refused and what was told, until the cluster is whole', async () => {
  const { table, run } = await emulatedTable();
  const healer = new Healer(table);
  expect(await run(() => healer.read())).toEqual({ attempt: null, refusal: null, announced: null });
  await run(() => healer.settle());
  await run(() => healer.noteAttempt({ signature: 'i-1 gone', at: 2000, noticedAt: 1000 }));
  await run(() => healer.noteRefusal({ incident: 'majority-at-risk', at: 3000 }));
  await run(() => healer.noteAnnounced('life-1'));
  expect(await run(() => healer.read())).toEqual({
    attempt: { signature: 'i-1 gone', at: 2000, noticedAt: 1000 },
    refusal: { incident: 'majority-at-risk', at: 3000 },
    announced: 'life-1',
  });
  await run(() => healer.settle());
  expect(await run(() => healer.read())).toEqual({ attempt: null, refusal: null, announced: 'life-1' });
});
