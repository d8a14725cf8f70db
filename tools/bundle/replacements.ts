/** What of the SDK can never be of use in Lambda is replaced by what is left of it there. */
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

interface Replacement {
  /** End of the module's path. */
  module: string;
  /** What its importers get. */
  by: string;
}

const REPLACEMENTS: readonly Replacement[] = [
  {
    // Lambda hands its role's credentials over in the environment. The default chain also reads profiles, SSO caches and
    // metadata services.
    module: '@aws-sdk/credential-provider-node/dist-es/index.js',
    by: `export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';`,
  },
  {
    // There is no ~/.aws in Lambda: settings come from the environment or are the default.
    module: '@smithy/core/dist-es/submodules/config/node-config-provider/fromSharedConfigFiles.js',
    by: `
      import { CredentialsProviderError } from '../property-provider/CredentialsProviderError';
      export const fromSharedConfigFiles = () => async () => {
        throw new CredentialsProviderError('Lambda has no configuration files');
      };`,
  },
  {
    // Asked for the region by EC2 alone; Lambda names it in AWS_REGION.
    module: '@smithy/core/dist-es/submodules/config/config-resolver/regionConfig/getInstanceMetadataRegion.js',
    by: 'export const getInstanceMetadataRegion = async () => undefined;',
  },
  {
    // No operation here streams events. It is imported lazily, for which esbuild would wrap every module that it shares
    // with the rest of the SDK into a function, and drop less of them.
    module: '@smithy/core/dist-es/submodules/event-streams/index.js',
    by: `
      export class EventStreamSerde {
        constructor() {
          throw new Error('event streams are not bundled: tools/bundle/replacements.ts');
        }
      }
      export const eventStreamSerdeProvider = () => undefined;`,
  },
  {
    // DynamoDB's own endpoint is used: discovery is off unless AWS_ENABLE_ENDPOINT_DISCOVERY is set, and DAX is none of ours.
    module: '@aws-sdk/middleware-endpoint-discovery/dist-es/index.js',
    by: `
      export const resolveEndpointDiscoveryConfig = (config) => config;
      export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
        environmentVariableSelector: () => undefined,
        configFileSelector: () => undefined,
        default: false,
      };`,
  },
  {
    // EventBridge signs for several regions only when a request names a global endpoint.
    module: '@aws-sdk/signature-v4-multi-region/dist-es/index.js',
    by: `export { SignatureV4 as SignatureV4MultiRegion } from '@smithy/signature-v4';`,
  },
  {
    // In place of node:crypto, where a Node was built without it.
    module: '@smithy/core/dist-es/submodules/checksum/sha256/Sha256Js.js',
    by: 'export const Sha256Js = undefined;',
  },
];

/** Fails when the SDK does not have a module that is to be replaced: a new release has moved it. */
export const replacements: Plugin = {
  name: 'replacements',
  setup({ onLoad, onEnd }) {
    const left = new Set(REPLACEMENTS);
    for (const replacement of REPLACEMENTS) {
      const filter = new RegExp(`/node_modules/(.+/)?${replacement.module.replaceAll('.', '\\.')}$`);
      onLoad({ filter }, ({ path }) => {
        left.delete(replacement);
        return { contents: replacement.by, loader: 'js', resolveDir: dirname(path) };
      });
    }
    onEnd(({ errors }) => ({
      errors: errors.length > 0 ? [] : [...left].map(({ module }) => ({ text: `${module} is imported by no bundle` })),
    }));
  },
};
