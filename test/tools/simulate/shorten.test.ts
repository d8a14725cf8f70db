import { failureText } from '../../../tools/simulate/report';
import { shorten } from '../../../tools/simulate/shorten';
import type { Simulation } from '../../simulation/simulate';

/** A life in which these things happen; it breaks a rule when all of `causes` do. */
function life(happened: string[], causes: string[], invariant = 'rule 1'): Simulation {
  const broken = causes.every((cause) => happened.includes(cause));
  const violations = broken ? [{ invariant, what: 'a majority is gone', time: '0:10:00' }] : [];
  return { seed: 7, violations, log: ['0:10:00  BROKEN'], faults: {}, decisions: {}, happened };
}

const ALL = Array.from({ length: 11 }, (_, index) => `${index}.0`);

describe('the shortest story of a failure', () => {
  it.each([[['10.0']], [['2.0', '9.0']], [['0.0', '1.0', '10.0']], [[]]])(
    'has what it takes and no more: %j',
    async (causes) => {
      const shortest = await shorten(life(ALL, causes), async (only) => life(only, causes));
      expect(shortest.happened).toEqual(causes);
      expect(shortest.violations).toHaveLength(1);
    },
  );

  it('breaks the same rule as the whole one', async () => {
    const run = async (only: string[]) =>
      only.includes('1.0') ? life(only, ['1.0', '5.0']) : life(only, ['5.0'], 'another rule');
    expect((await shorten(life(ALL, ['1.0', '5.0']), run)).happened).toEqual(['1.0', '5.0']);
  });

  it('is told with the command that repeats it, even when nothing had to happen', () => {
    expect(
      failureText(life(['1.0', '5.0'], []), 11, 1.5)
        .split('\n')
        .slice(1),
    ).toEqual([
      'seed 7 breaks "rule 1"',
      '  at 0:10:00: a majority is gone',
      '  of the 11 things that had happened to it, 2 are enough:',
      '  0:10:00  BROKEN',
      'again: npm run simulate -- --seed 7 --hours 1.5 --only 1.0,5.0',
    ]);
    expect(failureText(life([], []), 11, 1.5)).toMatch(/, none is enough:(.|\n)* --only none$/);
  });
});
