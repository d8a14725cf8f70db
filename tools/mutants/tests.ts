/** Runs tests of a tree, and names the first that fails. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runNode } from './child';

/** For the tests of one guard. */
const LIMIT_MS = 300_000;

const REPORT = z.object({
  numTotalTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

export type TestResult =
  | { result: 'passed'; tests: number }
  | { result: 'failed'; test: string }
  /** The tests could not be run at all, which proves nothing about a guard. */
  | { result: 'broken'; why: string };

/** Stops at the first file with a failure. */
export async function runTests(tree: string, tests: readonly string[], limitMs = LIMIT_MS): Promise<TestResult> {
  const report = join(tree, 'report.json');
  rmSync(report, { force: true });
  const flags = ['--ci', '--silent', '--bail=1', '--maxWorkers=1', '--json', `--outputFile=${report}`];
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const { code, output } = await runNode([jest, ...flags, ...tests], tree, limitMs);
  if (code === null) return { result: 'failed', test: `no end within ${limitMs / 1000} s` };
  return conclude(tree, code, readReport(report, output));
}

function readReport(path: string, output: string): z.infer<typeof REPORT> {
  try {
    return REPORT.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Error(`jest left no report: ${output.slice(-2000)}`, { cause: error });
  }
}

function conclude(tree: string, code: number, report: z.infer<typeof REPORT>): TestResult {
  for (const { name, assertionResults } of report.testResults) {
    const failure = assertionResults.find(({ status }) => status === 'failed');
    if (failure) return { result: 'failed', test: `${name.slice(tree.length + 1)}: ${failure.fullName}` };
  }
  const broken = report.testResults.find(({ status }) => status === 'failed');
  if (broken) return { result: 'broken', why: broken.message };
  if (code !== 0 || report.numTotalTests === 0) return { result: 'broken', why: `no test ran, jest exited ${code}` };
  return { result: 'passed', tests: report.numTotalTests };
}
