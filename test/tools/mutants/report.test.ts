import type { Finding } from '../../../tools/mutants/hunt';
import { summaryOf } from '../../../tools/mutants/report';

const found = (outcome: Finding['outcome']): Finding => ({
  guard: { name: 'x', rules: [1], without: 'y', file: 'a.ts', before: 'a', after: '', tests: [] },
  outcome,
  by: '',
  alsoBy: '',
  seconds: 1,
});

describe('the last line of a hunt', () => {
  it.each([
    ['1 of 1 guard: a test fails without it', ['caught']],
    ['2 of 2 guards: a test fails without each', ['caught', 'caught']],
    ['1 of 3 guards: a test fails without it', ['caught', 'survives', 'broken']],
  ] satisfies [string, Finding['outcome'][]][])('is "%s"', (line, outcomes) => {
    expect(summaryOf(outcomes.map(found))).toBe(line);
  });
});
