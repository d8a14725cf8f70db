import { join } from 'node:path';
import { Pool } from '../../tools/pool';
import type { Order } from '../../tools/simulate/worker';
import { type Simulation, simulate } from './simulate';

/** Enough for a creation, a storm and the beginning of a repair. */
const HOURS = 0.5;
const LIVES = 30;

/** As the tool lives them: a life computes twice as fast in a process of its own as within jest's. */
let lives: Pool<Order, Simulation>;

beforeAll(async () => {
  lives = await Pool.start({ name: 'lives', entry: join(__dirname, '../../tools/simulate/worker.ts'), size: 1 });
});

afterAll(() => lives.close());

describe('a life', () => {
  it('is the same again for the same seed, to the letter', async () => {
    const first = await lives.run({ seed: 3, hours: HOURS });
    const second = await lives.run({ seed: 3, hours: HOURS });
    expect(second).toEqual(first);
    expect(first.happened.length).toBeGreaterThan(0);
  });

  it('without any of its happenings is a creation and peace', async () => {
    const { faults, violations, decisions } = await lives.run({ seed: 3, hours: 0.3, only: [] });
    expect(faults).toEqual({});
    expect(violations).toEqual([]);
    expect(decisions).toMatchObject({ 'execution: SUCCEEDED': 1, 'mail: cluster ready: N servers in service': 1 });
  });

  it('takes the same course whether or not calls take the wire', async () => {
    const course = async (shortcut: boolean) => {
      const { log } = await simulate(4, { hours: 0.3, shortcut });
      // Two calls at one instant may arrive in either order, and wait a moment longer or shorter.
      return log.map((line) => line.replace(/^\S+/, '')).sort();
    };
    expect(await course(true)).toEqual(await course(false));
  });
});

it.each(Array.from({ length: LIVES }, (_, index) => index + 1))('life %i breaks no rule', async (seed) => {
  const { violations, log } = await lives.run({ seed, hours: HOURS });
  expect({ violations, log: violations.length > 0 ? log : [] }).toEqual({ violations: [], log: [] });
});
