/**
 * `npm run pause` and `npm run resume`: whether the self-healer may act. The same can be done in the console: DynamoDB,
 * the stack's table (output TableName), item `cluster`, attribute `paused`.
 */
import { join } from 'node:path';
import { ClusterRecords } from '../functions/aws/cluster-record';
import { Table } from '../functions/aws/table';
import { loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import { switched, type Values } from './arguments';
import { readConfiguration } from './explain/look';
import { runTool, ToolError } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

const TOOL = {
  name: 'pause',
  purpose: 'Pauses the self-healer: no server is replaced until npm run resume.',
  flags: { ...TARGET_FLAGS, resume: switched('let the self-healer act again (npm run resume)') },
};

/**
 * Switches healing off or on.
 * @returns what that means, for people
 * @throws ToolError when there is no cluster yet
 */
export async function setPaused(target: Target, paused: boolean): Promise<string> {
  const { CLUSTER, TABLE } = await readConfiguration(target);
  const records = new ClusterRecords(new Table(target.client, TABLE));
  const before = await records.read();
  if (!(await records.setPaused(paused))) {
    throw new ToolError(`cluster ${CLUSTER} was never created (${target.description}): there is nothing to pause`);
  }
  const already = before?.paused === paused ? ' (it was already)' : '';
  return [
    `healing of cluster ${CLUSTER} is ${paused ? 'paused' : 'on'}${already} · ${target.description}`,
    ...(paused ? PAUSED : RESUMED),
  ].join('\n');
}

const PAUSED = [
  '  nothing is repaired, neither by events nor by an execution that you start: it ends and says why',
  '  an execution that is repairing a server now stops at its next look; what is left is safe to continue later',
  '  alerts go on, and each says that healing is paused',
  '  creating the first servers and deleting the cluster still work',
  '  npm run explain says what it would do; npm run resume ends it',
];

const RESUMED = [
  '  within a minute the self-healer looks again, and repairs what it finds',
  '  npm run explain says what it would do now',
];

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const { name, region } = loadConfig(join(__dirname, '../cluster.json'));
  const target = await findTarget(flags, { stack: namesOf(name).stack, region });
  console.log(await setPaused(target, !flags.resume));
  return 0;
}

if (require.main === module) runTool(TOOL, main);
