import { compare } from '../../tools/bench/statistics';
import { measureCreation } from '../../tools/bench/trial';

/** `npm run bench` measures hundreds; these few notice when something begins to wait for what it need not. */
const SEEDS = [1, 2, 3, 4, 5, 6];

it('a creation stays close to the lower bound', async () => {
  const runs = [];
  for (const seed of SEEDS) runs.push((await measureCreation(seed)).creation);
  const finished = compare(
    runs.map(({ total }) => total),
    runs.map(({ bound }) => bound.serving),
  );
  const voters = compare(
    runs.map(({ phases }) => phases.voters ?? Number.NaN),
    runs.map(({ throughSsm }) => throughSsm.voters),
  );
  expect(finished.ratioP50).toBeLessThanOrEqual(1.15);
  expect(finished.ratioP95).toBeLessThanOrEqual(1.3);
  expect(voters.ratioP50).toBeLessThanOrEqual(1.4);
  // None is faster than what no design can beat.
  for (const { total, bound, phases } of runs) {
    expect(total).toBeGreaterThanOrEqual(bound.serving);
    expect(phases.voters).toBeGreaterThanOrEqual(bound.voters);
  }
}, 240_000);
