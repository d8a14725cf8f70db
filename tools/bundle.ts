/** Bundles every function: `.build/functions/<step>/index.js`, which exports `handler`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(__dirname, '..');
export const OUTPUT = join(ROOT, '.build', 'functions');

/** Every folder of `functions/` that has a handler. */
export function steps(): string[] {
  return readdirSync(join(ROOT, 'functions')).filter((step) => existsSync(join(ROOT, 'functions', step, 'handler.ts')));
}

/**
 * The SDK's schemas, so that esbuild can drop what is not used.
 * - Keys are named through constants (`{ [_xN]: _dR }`). esbuild must assume that a computed key has side effects and
 *   would keep the whole model of a service; a key that is written out, it can follow.
 * - Every error of a service is registered with its class: a side effect as well. Functions match errors by code
 *   (functions/aws/errors.ts), and an error that is not registered arrives as the service's base exception with its code
 *   as name and its message: getErrorSchemaOrThrowBaseException in @aws-sdk/core.
 */
const leanSchemas: Plugin = {
  name: 'lean-schemas',
  setup({ onLoad }) {
    onLoad({ filter: /@aws-sdk\/client-[^/]+\/dist-es\/schemas\/schemas_\d+\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const constants = new Map<string, string>();
      for (const [, name, value] of source.matchAll(/^const (_\w+) = ("(?:[^"\\]|\\.)*");$/gm)) {
        constants.set(name!, value!);
      }
      const contents = source
        .replace(/\[(_\w+)\]:/g, (key, name: string) => (constants.has(name) ? `${constants.get(name)}:` : key))
        .replace(/^n0_registry\.registerError\(\w+\$, \w+\);$/gm, '');
      return { contents, loader: 'js' };
    });
    // Of its own package.json a client wants the version, for the user agent.
    onLoad({ filter: /@aws-sdk\/client-[^/]+\/package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/**
 * Lambda hands its role's credentials over in the environment. The SDK's default chain also reads profiles, SSO caches
 * and metadata services: a quarter of a bundle that can never be of use there.
 */
const environmentCredentials: Plugin = {
  name: 'environment-credentials',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ resolveDir }) => ({
      path: 'environment-credentials',
      namespace: 'bundle',
      pluginData: resolveDir,
    }));
    onLoad({ filter: /^environment-credentials$/, namespace: 'bundle' }, ({ pluginData }) => ({
      contents: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
      resolveDir: pluginData,
    }));
  },
};

/** Bundles all functions at once; they share one parse of the SDK. Throws when esbuild reports an error. */
export async function bundle(outdir = OUTPUT): Promise<string[]> {
  const names = steps();
  await build({
    entryPoints: names.map((step) => ({ in: join(ROOT, 'functions', step, 'handler.ts'), out: join(step, 'index') })),
    outdir,
    bundle: true,
    minify: true,
    platform: 'node',
    // The oldest Node that runs them: the embedded AWS on a developer's machine; Lambda has a newer one.
    target: 'node20',
    // CommonJS loads faster than ES modules; the ES sources shake better.
    format: 'cjs',
    mainFields: ['module', 'main'],
    plugins: [leanSchemas, environmentCredentials],
    legalComments: 'none',
    logLevel: 'silent',
  });
  return names;
}

if (require.main === module) {
  const started = Date.now();
  bundle().then(
    (names) => console.log(`${names.length} functions bundled in ${((Date.now() - started) / 1000).toFixed(1)} s`),
    (error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
