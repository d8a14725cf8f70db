/** Makes what would be deployed: bundled functions and the synthesized stack. */
import { join } from 'node:path';
import { type Config, loadConfig } from '../infra/config';
import { synthesize } from '../infra/synth';
import { bundle } from './bundle';

const ROOT = join(__dirname, '..');

/**
 * Bundles the functions and synthesizes `cluster.json`, both below a directory of the caller's: the assembly is its
 * `cdk.out`.
 * @throws ConfigError when cluster.json is not valid
 */
export async function makeAssembly(directory: string): Promise<{ config: Config; assembly: string }> {
  const config = loadConfig(join(ROOT, 'cluster.json'));
  const bundles = join(directory, 'functions');
  const assembly = join(directory, 'cdk.out');
  await bundle(bundles);
  synthesize({ root: ROOT, config, bundles, outdir: assembly });
  return { config, assembly };
}
