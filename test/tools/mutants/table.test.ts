import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guard } from '../../../tools/mutants/guard';
import { GUARDS } from '../../../tools/mutants/guards';
import type { Finding } from '../../../tools/mutants/hunt';
import { tableOf } from '../../../tools/mutants/table';

const ROOT = join(__dirname, '../../..');

const guard = (name: string): Guard => ({
  name,
  rules: [1, 3],
  without: `${name} | is | missing`,
  file: 'a.ts',
  before: 'a',
  after: '',
  tests: [],
});
const [first, second, third] = ['first', 'second', 'third'].map(guard) as [Guard, Guard, Guard];
const found = (about: Guard, fields: Partial<Finding> = {}): Finding => ({
  guard: about,
  outcome: 'caught',
  by: 'test/a.test.ts: a | b fails',
  alsoBy: '',
  seconds: 1,
  ...fields,
});
const rowsOf = (table: string) =>
  table
    .split('\n')
    .filter((line) => /^\| (first|second|third) /.test(line))
    .map((line) => line.split(' | ').at(-1));

describe('the published table of guards', () => {
  const published = readFileSync(join(ROOT, 'docs/guards.md'), 'utf8');

  it('is what the last run left, with a row for every guard', () => {
    expect(tableOf(GUARDS, [], published)).toBe(published);
  });
});

describe('the table of guards', () => {
  it('names what failed without each, and says how many nobody has tried', () => {
    const table = tableOf([first, second, third], [found(first), found(second, { outcome: 'survives', by: '' })], '');
    expect(rowsOf(table)).toEqual(['`test/a.test.ts`: a \\| b fails |', 'nothing |', 'not run |']);
    expect(table).toContain('| `test/a.test.ts`: a \\| b fails |');
    expect(table).toContain('2 of 3 guards have been taken out; for 1 of these something failed.');
  });

  it('keeps what an earlier run found of the guards that this one left out', () => {
    const before = tableOf([first, second], [found(first), found(second, { outcome: 'survives', by: '' })], '');
    const now = tableOf([first, second, third], [found(second, { by: 'test/c.test.ts: now fails' })], before);
    expect(now).toContain('| `test/a.test.ts`: a \\| b fails |');
    expect(now).toContain('| `test/c.test.ts`: now fails |');
    expect(now).toContain('2 of 3 guards have been taken out; for 2 of these something failed.');
  });

  it('says of what never came to an end nothing but that', () => {
    expect(rowsOf(tableOf([first], [found(first, { by: 'no end within 300 s' })], ''))).toEqual([
      'no end within 300 s |',
    ]);
  });

  it('forgets guards that are not on the list any more, and what could not be run', () => {
    const before = tableOf([first, second], [found(first), found(second)], '');
    const now = tableOf([second], [found(second, { outcome: 'broken', by: 'no test ran' })], before);
    expect(rowsOf(now)).toEqual(['not run |']);
    expect(now).toContain('0 of 1 guards have been taken out');
  });
});
