/** What is used, counted on a whole cluster, and priced: the limits of docs/performance.md. */
import { report } from '../../tools/cost/report';
import { type Used, use } from '../../tools/cost/trial';

let used: Used;

beforeAll(async () => {
  used = await use(1);
});

it('costs less than the limits: 2 cents a creation or a replacement, half a dollar an idle month', () => {
  const { creation, replacementTerminated, replacementHang, idleMonth } = report([used], []).usage;
  for (const { usd } of [creation, replacementTerminated, replacementHang]) expect(usd).toBeLessThanOrEqual(0.02);
  expect(idleMonth.usd).toBeLessThanOrEqual(0.5);
});

it('counts every kind of usage where it happens', () => {
  const { creation, replacementTerminated, idleMonth } = used;
  for (const [name, amount] of Object.entries(creation)) expect([name, amount > 0]).toEqual([name, true]);
  expect(replacementTerminated.secretCalls).toBe(1);
  // The check of every minute, once a minute, with one read of the table and no other change or message.
  expect(idleMonth).toMatchObject({ lambdaRequests: 43_800, readUnits: 43_800, transitions: 0, notifications: 0 });
});
