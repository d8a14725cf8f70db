/**
 * `npm run explain`: what the self-healer would do now, and why. It looks through the adapters of the functions and
 * decides by the function that the workflow calls; it changes nothing.
 *
 * Exit code 0: the cluster is whole. 1: it is not, or that could not be found out. 2: the command line is at fault.
 */
import { join } from 'node:path';
import { loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import { switched, type Values } from './arguments';
import { type Explanation, explain } from './explain/explanation';
import { look, readConfiguration } from './explain/look';
import { report } from './explain/report';
import { runTool } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

const TOOL = {
  name: 'explain',
  purpose: 'Prints what the self-healer would do now and why. Exit code 0: all is well, 1: it is not.',
  flags: { ...TARGET_FLAGS, json: switched('one JSON object instead of text') },
};

/** Looks and explains; null: no cluster was ever asked for. */
export async function explainNow(target: Target): Promise<{ cluster: string; explanation: Explanation | null }> {
  const env = await readConfiguration(target);
  const found = await look(target, env);
  const policy = { k3sVersion: env.K3S_VERSION, manifests: null };
  return { cluster: env.CLUSTER, explanation: found && explain(found, policy) };
}

/** The explanation as text. */
export async function explainText(target: Target, width: number): Promise<string> {
  const { cluster, explanation } = await explainNow(target);
  return explanation ? report(cluster, target.description, explanation, width) : NEVER(cluster);
}

const NEVER = (cluster: string) =>
  `cluster ${cluster}: it was never created, and the healer creates nothing: start the cluster workflow`;

async function main(flags: Values<typeof TOOL.flags>): Promise<number> {
  const { name, region } = loadConfig(join(__dirname, '../cluster.json'));
  const target = await findTarget(flags, { stack: namesOf(name).stack, region });
  const { cluster, explanation } = await explainNow(target);
  const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  if (flags.json) console.log(JSON.stringify({ cluster, created: explanation !== null, ...explanation }));
  else console.log(explanation ? report(cluster, target.description, explanation, width) : NEVER(cluster));
  return explanation?.whole ? 0 : 1;
}

if (require.main === module) runTool(TOOL, main);
