/**
 * The CDK app: `tsx infra/app.ts [--output DIR]` synthesizes `cluster.json` to cdk.out.
 * The CDK CLI names the directory in CDK_OUTDIR.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from './config';
import { ConfigError } from './config-error';
import { review } from './review';
import { synthesize } from './synth';

const ROOT = join(__dirname, '..');

function main(): void {
  const { values } = parseArgs({ options: { output: { type: 'string', short: 'o' } } });
  synthesize({
    root: ROOT,
    config: loadConfig(join(ROOT, 'cluster.json')),
    bundles: join(ROOT, '.build/functions'),
    review,
    outdir: values.output ?? process.env.CDK_OUTDIR ?? join(ROOT, 'cdk.out'),
  });
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ConfigError || isUsage(error) ? 2 : 1;
}

function isUsage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
