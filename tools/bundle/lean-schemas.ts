import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/**
 * The SDK's schemas, so that esbuild can drop what is not used.
 * - Keys are named through constants (`{ [_xN]: _dR }`). esbuild must assume that a computed key has side effects and
 *   would keep the whole model of a service; a key that is written out, it can follow.
 * - Every error of a service is registered with its class: a side effect as well. Functions match errors by code
 *   (functions/aws/errors.ts), and an error that is not registered arrives as the service's base exception with its code
 *   as name and its message: getErrorSchemaOrThrowBaseException in @aws-sdk/core.
 */
export const leanSchemas: Plugin = {
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
