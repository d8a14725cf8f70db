/** Prints size and cold load of every bundle, and fails when one is over its limit: both are part of a cold start. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, OUTPUT } from './bundle';

/** Kilobytes of 1000 bytes. */
const MAX_KB = 400;
const MAX_LOAD_MS = 50;
const RUNS = 10;

/** Milliseconds until a fresh process has loaded the module: median of ten, because other processes disturb. */
function coldLoad(file: string): number {
  const script = `const start = performance.now(); require(${JSON.stringify(file)}); console.log(performance.now() - start)`;
  const times = Array.from({ length: RUNS }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${file} does not load: ${stderr}`);
    return Number(stdout);
  }).sort((a, b) => a - b);
  return (times[RUNS / 2 - 1]! + times[RUNS / 2]!) / 2;
}

async function main(): Promise<void> {
  const over: string[] = [];
  console.log(`${'function'.padEnd(20)} ${'size kB'.padStart(8)} ${'load ms'.padStart(8)}`);
  for (const step of await bundle()) {
    const file = join(OUTPUT, step, 'index.js');
    const kilobytes = statSync(file).size / 1000;
    const load = coldLoad(file);
    console.log(`${step.padEnd(20)} ${kilobytes.toFixed(0).padStart(8)} ${load.toFixed(1).padStart(8)}`);
    if (kilobytes > MAX_KB) over.push(`${step} has ${kilobytes.toFixed(0)} kB, the limit is ${MAX_KB} kB`);
    if (load > MAX_LOAD_MS) over.push(`${step} loads in ${load.toFixed(1)} ms, the limit is ${MAX_LOAD_MS} ms`);
  }
  if (over.length === 0) return;
  console.error(over.join('\n'));
  process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
