/**
 * `npm run size` prints size and cold load of every bundle, beside what esbuild makes of the same code by itself, and
 * fails when one is over its limit: both are part of a cold start.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, OUTPUT } from './bundle';
import { runTool, ToolError } from './run';
import { table } from './table';

const TOOL = {
  name: 'size',
  purpose: "Prints size and cold load of every function's bundle. Exit code 1: one is over its limit.",
  flags: {},
};

/** Kilobytes of 1000 bytes. */
const MAX_KB = 400;
const MAX_LOAD_MS = 50;
const RUNS = 7;
const DEFAULTS = join(OUTPUT, '../functions-by-default');

interface Measured {
  kilobytes: number;
  /** Processor time of a fresh process until it has loaded the module, ms: waiting for other processes does not count. */
  load: number;
}

function load(file: string): number {
  const script = `
    const before = process.cpuUsage();
    require(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(before);
    console.log((user + system) / 1000);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  if (status !== 0) throw new ToolError(`${file} does not load: ${stderr}`);
  return Number(stdout);
}

/** Sizes, and medians of loads: in turns, so that whatever slows the machine down slows all of them down. */
function measure(files: string[]): Measured[] {
  const rounds = Array.from({ length: RUNS }, () => files.map(load));
  return files.map((file, index) => ({
    kilobytes: statSync(file).size / 1000,
    load: rounds.map((round) => round[index]!).sort((a, b) => a - b)[Math.floor(RUNS / 2)]!,
  }));
}

async function main(): Promise<number> {
  const steps = await bundle();
  await bundle(DEFAULTS, 'default');
  const over: string[] = [];
  const rows = steps.map((step) => {
    const [ours, theirs] = measure([OUTPUT, DEFAULTS].map((folder) => join(folder, step, 'index.js')));
    if (ours!.kilobytes > MAX_KB) over.push(`${step} has ${ours!.kilobytes.toFixed(0)} kB, the limit is ${MAX_KB} kB`);
    if (ours!.load > MAX_LOAD_MS)
      over.push(`${step} loads in ${ours!.load.toFixed(1)} ms, the limit is ${MAX_LOAD_MS} ms`);
    return [step, ...[ours!, theirs!].flatMap(({ kilobytes, load }) => [kilobytes.toFixed(0), load.toFixed(0)])];
  });
  rmSync(DEFAULTS, { recursive: true });
  console.log(table(['function', 'kB', 'load ms', "kB by esbuild's defaults", 'load ms'], rows));
  if (over.length > 0) throw new ToolError(over.join('\n'));
  return 0;
}

runTool(TOOL, main);
