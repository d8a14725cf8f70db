/**
 * `npm run cost`: what a creation, a replacement and an idle month cost, from calls counted on the embedded AWS and list
 * prices; and what the stack's resources cost by the month.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../infra/config';
import { prepareAssembly } from '../test/support/assembly';
import { assembly } from '../test/support/assembly-path';
import { number, switched, type Values } from './arguments';
import { fixedCharges } from './cost/fixed';
import { report, text } from './cost/report';
import { type Used, use } from './cost/trial';
import { runTool } from './run';

const TOOL = {
  name: 'cost',
  purpose: 'Counts what is billed, and prices it.',
  flags: {
    seeds: number('N', 'runs, with the seeds from 1 to N', 5, { from: 1, to: 1000, integer: true }),
    json: switched('print one JSON object as the last line'),
  },
};

async function main({ seeds, json }: Values<typeof TOOL.flags>): Promise<number> {
  await prepareAssembly();
  const runs: Used[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    runs.push(await use(seed));
    process.stderr.write(`${seed} of ${seeds} seeds\n`);
  }
  const config = parseConfig({});
  const template = JSON.parse(readFileSync(join(assembly(), `k3s-${config.name}.template.json`), 'utf8'));
  const found = report(runs, fixedCharges(template, config));
  console.log(text(found));
  if (json) console.log(JSON.stringify(found));
  return 0;
}

runTool(TOOL, main);
