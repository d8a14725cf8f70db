/** Bundles every function: `.build/functions/<step>/index.js`, which exports `handler`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { leanSchemas } from './bundle/lean-schemas';
import { replacements } from './bundle/replacements';
import { runTool, ToolError } from './run';

const ROOT = join(__dirname, '..');
export const OUTPUT = join(ROOT, '.build', 'functions');

/** Every folder of `functions/` that has a handler. */
export function steps(): string[] {
  return readdirSync(join(ROOT, 'functions')).filter((step) => existsSync(join(ROOT, 'functions', step, 'handler.ts')));
}

/** What Lambda gets. */
const LEAN: BuildOptions = {
  // The oldest Node that runs them: the embedded AWS on a developer's machine; Lambda has a newer one.
  target: 'node20',
  // The ES sources shake better.
  mainFields: ['module', 'main'],
  plugins: [leanSchemas, replacements],
  legalComments: 'none',
};

/**
 * Bundles all functions at once; they share one parse of the SDK. Throws when esbuild reports an error.
 * @param how `default`: as esbuild does by itself, to compare with
 */
export async function bundle(outdir = OUTPUT, how: 'lean' | 'default' = 'lean'): Promise<string[]> {
  const names = steps();
  await build({
    entryPoints: names.map((step) => ({ in: join(ROOT, 'functions', step, 'handler.ts'), out: join(step, 'index') })),
    outdir,
    bundle: true,
    minify: true,
    platform: 'node',
    // CommonJS loads faster than ES modules.
    format: 'cjs',
    logLevel: 'silent',
    ...(how === 'lean' && LEAN),
  });
  return names;
}

const TOOL = {
  name: 'bundle',
  purpose: 'Bundles every function for deployment.',
  flags: {},
};

async function main(): Promise<number> {
  const started = Date.now();
  // What does not compile is said by esbuild, with its place.
  const names = await bundle().catch((error: Error) => Promise.reject(new ToolError(error.message)));
  console.log(`${names.length} functions bundled in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return 0;
}

if (require.main === module) runTool(TOOL, main);
