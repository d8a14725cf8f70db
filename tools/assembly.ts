/** Makes what would be deployed: bundled functions and the synthesized stack. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '../infra/config';
import { synthesize } from '../infra/synth';
import { bundle } from './bundle';

const ROOT = join(__dirname, '..');

/**
 * Bundles the functions and synthesizes `cluster.json` into a directory.
 * @throws ConfigError when cluster.json is not valid
 */
export async function makeAssembly(outdir: string): Promise<Config> {
  const config = loadConfig(join(ROOT, 'cluster.json'));
  const bundles = join(ROOT, '.build/functions');
  await bundle(bundles);
  rmSync(outdir, { recursive: true, force: true });
  synthesize({ root: ROOT, config, bundles, outdir, validate: false });
  return config;
}
