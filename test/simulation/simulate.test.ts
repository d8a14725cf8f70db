import { simulate } from './simulate';

/** Enough for a creation, a storm and most of a repair. */
const HOURS = 0.5;

describe('a life', () => {
  it('is the same again for the same seed, to the letter', async () => {
    const first = await simulate(3, { hours: HOURS });
    const second = await simulate(3, { hours: HOURS });
    expect(second).toEqual(first);
    expect(first.happened.length).toBeGreaterThan(0);
  });

  it('is another one for another seed', async () => {
    const [one, other] = [await simulate(4, { hours: 0.2 }), await simulate(5, { hours: 0.2 })];
    expect(one.log).not.toEqual(other.log);
  });

  it('without any of its happenings is a creation and peace', async () => {
    const { faults, violations, decisions } = await simulate(3, { hours: HOURS, only: [] });
    expect(faults).toEqual({});
    expect(violations).toEqual([]);
    expect(decisions).toMatchObject({ 'execution: SUCCEEDED': 1, 'mail: cluster ready: N servers in service': 1 });
  });
});

it.each([1, 2])('life %i breaks no rule', async (seed) => {
  const { violations, log } = await simulate(seed, { hours: HOURS });
  expect({ violations, log: violations.length > 0 ? log : [] }).toEqual({ violations: [], log: [] });
});
