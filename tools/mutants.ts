/**
 * `npm run mutants`: takes each guard out of a copy of the project, one at a time, and runs what should notice. A guard
 * whose absence nothing notices is a defect: of the tests, or of the guard.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { number, switched, text, UsageError, type Values } from './arguments';
import type { Guard } from './mutants/guard';
import { GUARDS } from './mutants/guards';
import { type Finding, hunt, passUntouched, type Thoroughness } from './mutants/hunt';
import { lineOf, summaryOf } from './mutants/report';
import { tableOf } from './mutants/table';
import { Tree } from './mutants/tree';
import { runTool } from './run';

const ROOT = join(__dirname, '..');

const TOOL = {
  name: 'mutants',
  purpose: 'Takes out each guard and sees whether a test notices.',
  flags: {
    only: text<string[] | undefined>('NAMES', 'only these guards, with commas between', undefined, (typed) =>
      typed.split(','),
    ),
    from: text<string | undefined>(
      'NAME',
      'this guard and those after it: goes on after an interruption',
      undefined,
      String,
    ),
    jobs: number('N', 'guards at the same time', Math.min(2, availableParallelism()), {
      from: 1,
      to: 16,
      integer: true,
    }),
    seeds: number('N', 'lives of the simulator for a guard without which no test fails; 0: none', 20, {
      from: 0,
      to: 10_000,
      integer: true,
    }),
    both: switched('asks the simulator about every guard, also when a test has noticed'),
    list: switched('names the guards, and runs nothing'),
    table: text<string | undefined>(
      'FILE',
      'writes what is found there, as Markdown, and keeps what it says of other guards',
      undefined,
      String,
    ),
  },
};

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const guards = choose(flags.only, flags.from);
  if (flags.list) {
    for (const { name, rules, without } of guards) console.log(`${name} (rule ${rules.join(', ')}): ${without}`);
    return 0;
  }
  // Inside the project, so that Jest knows their files the next time.
  const trees = Array.from({ length: flags.jobs }, (_, job) =>
    Tree.copy(ROOT, join(ROOT, '.build', 'mutants', String(job))),
  );
  try {
    return await run(guards, trees, flags);
  } finally {
    for (const tree of trees) tree.discard();
  }
}

async function run(
  guards: readonly Guard[],
  trees: Tree[],
  { table, ...thoroughness }: Thoroughness & { table: string | undefined },
): Promise<number> {
  const began = performance.now();
  console.log(`${await passUntouched(guards, trees[0]!, thoroughness)} tests pass with every guard in its place`);
  const findings = await hunt(guards, trees, thoroughness, (finding) => {
    console.log(lineOf(finding));
    if (table !== undefined) note(finding, table);
  });
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${summaryOf(findings)} (${seconds} s)`);
  const unproven = findings.filter(({ outcome }) => outcome !== 'caught');
  for (const finding of unproven) console.log(lineOf(finding));
  return unproven.length === 0 ? 0 : 1;
}

/** At once, because a run may take an hour and be interrupted. */
function note(finding: Finding, table: string): void {
  const previous = existsSync(table) ? readFileSync(table, 'utf8') : '';
  writeFileSync(table, tableOf(GUARDS, [finding], previous));
}

/** @throws UsageError for a name that no guard has */
function choose(only: readonly string[] | undefined, from: string | undefined): readonly Guard[] {
  for (const name of [...(only ?? []), ...(from === undefined ? [] : [from])]) {
    if (!GUARDS.some((guard) => guard.name === name)) {
      throw new UsageError(`no guard is called ${name}: --list names them`);
    }
  }
  const first = from === undefined ? 0 : GUARDS.findIndex(({ name }) => name === from);
  return GUARDS.slice(first).filter(({ name }) => only?.includes(name) ?? true);
}

if (require.main === module) runTool(TOOL, main);
