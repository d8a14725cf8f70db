import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GuardNotFound, removeGuard } from '../../../tools/mutants/guard';
import { GUARDS } from '../../../tools/mutants/guards';

const ROOT = join(__dirname, '../../..');
const FILES = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);
/** Rule 15 waits for snapshots. */
const RULES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16];

describe('the list of guards', () => {
  it.each(GUARDS.map((guard) => [guard.name, guard] as const))('%s stands in its file, once', (_, guard) => {
    const source = readFileSync(join(ROOT, guard.file), 'utf8');
    expect(removeGuard(source, guard)).not.toBe(source);
    for (const test of guard.tests) expect(FILES.filter((file) => file.includes(test))).not.toEqual([]);
  });

  it('has at least one guard for every safety rule', () => {
    const served = new Set(GUARDS.flatMap(({ rules }) => rules));
    expect(RULES.filter((rule) => !served.has(rule))).toEqual([]);
  });

  it('has names of its own', () => {
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  });
});

describe('taking out a guard', () => {
  const guard = { name: 'x', rules: [1], without: 'y', file: 'z.ts', before: 'if (a) ', after: '', tests: [] };

  it('changes nothing else', () => {
    expect(removeGuard('start; if (a) stop; end', guard)).toBe('start; stop; end');
  });

  it('does not depend on indentation', () => {
    expect(removeGuard('a\n    if (a)\n  b', { ...guard, before: 'if (a) b', after: 'c' })).toBe('a\n    c');
  });

  it('is refused when its text is not there any more, or more than once', () => {
    expect(() => removeGuard('start', guard)).toThrow(GuardNotFound);
    expect(() => removeGuard('if (a) b; if (a) c', guard)).toThrow('stands 2 times in z.ts');
  });
});
