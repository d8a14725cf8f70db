/**
 * `npm run pause`, and what `npm run resume` shares with it: whether the self-healer may act. The same can be done in the
 * console: DynamoDB, the stack's table (output TableName), item `cluster`, attribute `paused`.
 */
import { join } from 'node:path';
import { ClusterRecords } from '../functions/aws/cluster-record';
import { Table } from '../functions/aws/table';
import { loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import type { Values } from './arguments';
import { readConfiguration } from './explain/look';
import { runTool, ToolError } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

export const TOOL = {
  name: 'pause',
  purpose: 'Pauses the self-healer: no server is replaced until npm run resume.',
  flags: TARGET_FLAGS,
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
    throw new ToolError(
      `cluster ${CLUSTER} was never created (${target.description}): there is nothing to ${paused ? 'pause' : 'resume'}`,
    );
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

/** Switches healing off or on in the AWS that the flags name, and says what that means. */
export async function pauseOrResume(flags: Values<typeof TARGET_FLAGS>, paused: boolean): Promise<number> {
  const { name, region } = loadConfig(join(__dirname, '../cluster.json'));
  const target = await findTarget(flags, { stack: namesOf(name).stack, region });
  console.log(await setPaused(target, paused));
  return 0;
}

if (require.main === module) runTool(TOOL, (flags) => pauseOrResume(flags, true));
