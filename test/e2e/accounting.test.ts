/**
 * What tools count and measure on a whole cluster that is created, loses a server, rests and loses another. One life for
 * all of it, because it takes seconds of computing.
 */
import { z } from 'zod';
import { report } from '../../tools/cost/report';
import { live, type Used } from '../../tools/cost/trial';
import { measureAccount } from '../../tools/measure';
import { call } from '../support/call';
import { bootTest, closeAll, type TestCluster } from '../support/embedded';
import { operator } from '../support/operator';

let cluster: TestCluster;
let used: Used;

beforeAll(async () => {
  cluster = await bootTest();
  used = await live(cluster, 1);
}, 180_000);

afterAll(closeAll);

describe('the cost', () => {
  it('is within its limits: 2 cents a creation or a replacement, half a dollar an idle month', () => {
    const { creation, replacementTerminated, replacementHang, idleMonth } = report([used], []).usage;
    for (const { usd } of [creation, replacementTerminated, replacementHang]) expect(usd).toBeLessThanOrEqual(0.02);
    expect(idleMonth.usd).toBeLessThanOrEqual(0.5);
  });

  it('is counted from every kind of usage', () => {
    const { creation, replacementTerminated, idleMonth } = used;
    for (const [name, amount] of Object.entries(creation)) expect([name, amount > 0]).toEqual([name, true]);
    expect(replacementTerminated.secretCalls).toBe(1);
    // The check of every minute, with one read of the table and no change or message.
    expect(idleMonth).toMatchObject({ lambdaRequests: 43_800, readUnits: 43_800, transitions: 0, notifications: 0 });
  });
});

/** Tables of the dashboard: of which lines of which log group they are made, and the fields they show of them. */
async function logTables() {
  const answer = await call(cluster.aws.world, cluster.aws.services.cloudwatch, 'GetDashboard', {
    DashboardName: 'k3s-demo',
  });
  const { DashboardBody } = z.object({ DashboardBody: z.string() }).parse(answer);
  const { widgets } = BODY.parse(JSON.parse(DashboardBody));
  return widgets.flatMap(({ properties: { title = '', query = '' } }) => {
    const group = /^SOURCE '([^']+)'/.exec(query)?.[1];
    if (group === undefined) return [];
    const where = [...query.matchAll(/(\w+) = "([^"]+)"/g)].map(([, field = '', value = '']) => [field, value]);
    const lists = [...query.matchAll(/(?: by |fields @timestamp, )(.+)$/gm)].map(([, list = '']) => list);
    const latest = [...query.matchAll(/latest\((\w+)\)/g)].map(([, field = '']) => field);
    return [{ title, group, where: Object.fromEntries(where), fields: [...lists.join(', ').split(', '), ...latest] }];
  });
}
const BODY = z.object({
  widgets: z.array(z.object({ properties: z.object({ title: z.string().optional(), query: z.string().optional() }) })),
});

describe('the dashboard', () => {
  it('asks for lines that are written, with the fields that it shows', async () => {
    const tables = await logTables();
    expect(tables.map(({ title }) => title)).toHaveLength(4);
    for (const { title, group, where, fields } of tables) {
      const lines = cluster.aws.services.logs
        .lines(group)
        .filter(({ message }) => message.startsWith('{'))
        .map(({ message }): unknown => JSON.parse(message));
      const shown = Object.fromEntries(fields.map((field) => [field, expect.anything()]));
      expect([title, lines]).toEqual([
        title,
        expect.arrayContaining([expect.objectContaining({ ...where, ...shown })]),
      ]);
    }
  });
});

describe('what an account remembers', () => {
  it('gives the figures of the bench: each phase after the one before, and when the workflow saw it', async () => {
    const { target, work } = operator(cluster);
    const { creation, replacementTerminated, replacementHang } = await work(measureAccount(target, 100));
    const phases = Object.keys(creation?.phases ?? {});
    expect(phases).toEqual(['running', 'first server', 'voters', 'applied', 'serving', 'finished']);
    for (const replacement of [replacementTerminated, replacementHang]) {
      const ends = Object.entries(replacement?.phases ?? {});
      expect(ends.map(([phase]) => phase)).toEqual([
        'noticed',
        'running',
        'fenced',
        'removed',
        'voters',
        'serving',
        'finished',
      ]);
      expect(ends.map(([, at]) => at)).toEqual(ends.map(([, at]) => at).sort((a, b) => a - b));
      expect(replacement?.p50).toBe(replacement?.phases.serving);
    }
    expect(creation?.p50).toBe(creation?.phases.finished);
    // The dwell is part of one of them.
    expect(replacementTerminated?.phases.noticed).toBeLessThan(10);
    expect(replacementHang?.phases.fenced).toBeGreaterThan(90);
  });

  it('counts a replacement from the first sign of trouble, not from the start of its execution', async () => {
    const { target, work } = operator(cluster);
    const { replacementTerminated } = await work(measureAccount(target, 100));
    const [run] = replacementTerminated?.runs ?? [];
    const execution = cluster.aws.services.states.listExecutions().find(({ arn }) => arn === run?.execution);
    const ended = cluster.lines.find(
      ({ at, message, detail }) =>
        message === 'instance changed state' && detail?.state === 'shutting-down' && at <= (execution?.startedAt ?? 0),
    );
    const until = (begin = 0) => ((execution?.stoppedAt ?? 0) - begin) / 1000;
    const finished = run?.phases.finished ?? 0;
    expect(finished).toBeGreaterThan(until(execution?.startedAt));
    expect(finished).toBeLessThanOrEqual(until(ended?.at) + 0.1);
  });
});
