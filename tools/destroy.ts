/**
 * `npm run destroy`: deletes the cluster, then the stack. CloudFormation alone could not: servers are launched by the
 * workflow, so they are not in the stack, and the stack refuses to go while there are any.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Instances } from '../functions/aws/instances';
import { loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import { switched, UsageError, type Values } from './arguments';
import { deleteCluster } from './destroy/delete-cluster';
import { readConfiguration } from './explain/look';
import { createScreen, type Screen } from './local/screen';
import { runTool, ToolError } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

const TOOL = {
  name: 'destroy',
  purpose: 'Deletes the cluster with the delete workflow, then the stack. Asks before it begins.',
  flags: {
    ...TARGET_FLAGS,
    yes: switched('do not ask'),
    keepStack: switched('delete the cluster and leave the stack'),
  },
};

/** What the outside world does for it. */
export interface Surroundings {
  say(text: string): void;
  /** What the person typed. */
  ask(question: string): Promise<string>;
  screen: Screen;
  /** `cdk destroy`; resolves to its exit code. */
  removeStack(stack: string): Promise<number>;
}

/**
 * Deletes the cluster of a stack, then the stack itself unless it is to be kept.
 * @param confirmed nobody is asked
 * @returns the exit code
 * @throws ToolError when the person does not confirm, or the workflow fails: then the stack is left as it is
 */
export async function destroy(
  target: Target,
  { confirmed, keepStack }: { confirmed: boolean; keepStack: boolean },
  { say, ask, screen, removeStack }: Surroundings,
): Promise<number> {
  const { CLUSTER } = await readConfiguration(target);
  const machines = await new Instances(target.client, CLUSTER).byTag();
  const servers = machines.filter(({ state }) => state !== 'terminated');
  say(`cluster ${CLUSTER} · ${target.description}`);
  const listed = servers.map(
    ({ instanceId, tags, availabilityZone, state }) =>
      `  ${tags ? `server-${tags.slot}` : 'an instance'} ${instanceId} ${availabilityZone ?? ''} ${state}`,
  );
  for (const line of listed.sort()) say(line);
  const what = [
    servers.length > 0 ? `${servers.length} server${servers.length > 1 ? 's' : ''} with all data` : 'no servers',
    ...(keepStack ? [] : [`the stack ${target.stack}`]),
  ].join(', and ');
  say(`  to be deleted for good: ${what}`);
  if (!confirmed && (await ask(`type ${CLUSTER} to confirm: `)).trim() !== CLUSTER) {
    throw new ToolError('not confirmed: nothing was changed');
  }
  await deleteCluster(target, CLUSTER, screen);
  say('the cluster is deleted');
  if (keepStack) return 0;
  if (target.kind === 'embedded') {
    say('the stack of the embedded AWS ends with "npm run local"');
    return 0;
  }
  return removeStack(target.stack);
}

/** Of this project: its settings say which stack that is. */
function removeStack(region: string | undefined) {
  return (stack: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const child = spawn('npx', ['cdk', 'destroy', stack, '--force'], {
        stdio: 'inherit',
        cwd: join(__dirname, '..'),
        env: { ...process.env, ...(region === undefined ? {} : { AWS_REGION: region }) },
      });
      child.once('error', (error) => reject(new ToolError(`cannot run the CDK: ${error.message}`)));
      child.once('close', (code) => resolve(code ?? 1));
    });
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal to confirm in: --yes confirms');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const { name, region } = loadConfig(join(__dirname, '../cluster.json'));
  const { stack } = namesOf(name);
  const target = await findTarget(flags, { stack, region });
  if (target.kind === 'account' && !flags.keepStack && target.stack !== stack) {
    throw new UsageError(
      `cluster.json describes ${stack}, and the CDK removes no other: name ${target.stack.replace(/^k3s-/, '')} in it, or --keep-stack`,
    );
  }
  return destroy(
    target,
    { confirmed: flags.yes, keepStack: flags.keepStack },
    {
      say: console.log,
      ask,
      screen: createScreen(process.stdout),
      removeStack: removeStack(flags.region ?? region),
    },
  );
}

if (require.main === module) runTool(TOOL, main);
