/**
 * `npm run measure`: how long creations and replacements took in an account, in the figures of `npm run bench`, so that
 * its model can be checked. It reads histories and a log, and changes nothing.
 */
import { join } from 'node:path';
import { loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import { number, switched, type Values } from './arguments';
import { readBeginnings, readRuns } from './measure/account';
import { type Report, report, text } from './measure/report';
import { runTool } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

const TOOL = {
  name: 'measure',
  purpose: 'Prints how long creations and replacements took.',
  flags: {
    ...TARGET_FLAGS,
    last: number('N', 'look at so many of the latest executions', 200, { from: 1, to: 10_000, integer: true }),
    json: switched('print one JSON object as the last line'),
  },
};

/** @param most of the latest executions */
export async function measureAccount(target: Target, most: number): Promise<Report> {
  const runs = await readRuns(target, most);
  const oldest = runs.at(-1)?.startedAt;
  return report(runs, oldest === undefined ? new Map() : await readBeginnings(target, oldest));
}

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const { name, region } = loadConfig(join(__dirname, '../cluster.json'));
  const target = await findTarget(flags, { stack: namesOf(name).stack, region });
  const found = await measureAccount(target, flags.last);
  console.log(text(found, `${target.stack} in ${target.description}`));
  if (flags.json) console.log(JSON.stringify(found));
  return Object.keys(found).length > 0 ? 0 : 1;
}

if (require.main === module) runTool(TOOL, main);
