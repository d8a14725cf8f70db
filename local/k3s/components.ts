/**
 * The arguments that K3s passes on to the components it runs (`kube-apiserver-arg`, `kubelet-arg`, …), as far as this project
 * uses them. A component that does not know an argument, or cannot read a file that one names, ends K3s at its start.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Files } from './command';
import { type Level, type PodSecurityDefaults, PRIVILEGED } from './pod-security';

const SECONDS = /^\d+$/;
const COUNT = /^\d+$/;
const DURATION = /^(?:\d+(?:h|m|s))+$/;
const BOOLEAN = /^(?:true|false)$/;
const FILE = /^\//;
const WORDS = /^[A-Za-z0-9_]+(?:,[A-Za-z0-9_]+)*$/;

/** Each with the form of its value. Source: the components' reference on kubernetes.io. */
const KNOWN: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  'kube-apiserver': {
    'admission-control-config-file': FILE,
    'audit-log-maxage': COUNT,
    'audit-log-maxbackup': COUNT,
    'audit-log-maxsize': COUNT,
    'audit-log-path': FILE,
    'audit-policy-file': FILE,
    'default-not-ready-toleration-seconds': SECONDS,
    'default-unreachable-toleration-seconds': SECONDS,
    'enable-admission-plugins': WORDS,
    'service-account-extend-token-expiration': BOOLEAN,
  },
  'kube-controller-manager': { 'terminated-pod-gc-threshold': COUNT },
  'kube-scheduler': {},
  'kube-proxy': {},
  kubelet: { 'pod-max-pids': COUNT, 'streaming-connection-idle-timeout': DURATION, 'tls-cipher-suites': WORDS },
};
export const COMPONENTS = Object.keys(KNOWN);

/** Optional plugins that the API server has, beside those that are on anyway. */
const PLUGINS = ['NodeRestriction', 'EventRateLimit', 'AlwaysPullImages', 'DenyServiceExternalIPs'];

const LEVEL = z.enum(['privileged', 'baseline', 'restricted']);
const PLUGIN = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('PodSecurity'),
    configuration: z.strictObject({
      apiVersion: z.literal('pod-security.admission.config.k8s.io/v1'),
      kind: z.literal('PodSecurityConfiguration'),
      defaults: z.strictObject({
        enforce: LEVEL,
        'enforce-version': z.literal('latest'),
        audit: LEVEL,
        'audit-version': z.literal('latest'),
        warn: LEVEL,
        'warn-version': z.literal('latest'),
      }),
      exemptions: z.strictObject({
        usernames: z.tuple([]),
        runtimeClasses: z.tuple([]),
        namespaces: z.array(z.string()),
      }),
    }),
  }),
  z.strictObject({
    name: z.literal('EventRateLimit'),
    configuration: z.strictObject({
      apiVersion: z.literal('eventratelimit.admission.k8s.io/v1alpha1'),
      kind: z.literal('Configuration'),
      limits: z
        .array(
          z.strictObject({
            type: z.enum(['Server', 'Namespace', 'User', 'SourceAndObject']),
            qps: z.int().positive(),
            burst: z.int().positive(),
            cacheSize: z.int().positive().optional(),
          }),
        )
        .min(1),
    }),
  }),
]);
const ADMISSION = z.strictObject({
  apiVersion: z.literal('apiserver.config.k8s.io/v1'),
  kind: z.literal('AdmissionConfiguration'),
  plugins: z.array(PLUGIN),
});

const AUDIT_LEVEL = z.enum(['None', 'Metadata', 'Request', 'RequestResponse']);
const POLICY = z.strictObject({
  apiVersion: z.literal('audit.k8s.io/v1'),
  kind: z.literal('Policy'),
  omitStages: z.array(z.enum(['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'])).optional(),
  rules: z
    .array(
      z.strictObject({
        level: AUDIT_LEVEL,
        users: z.array(z.string()).optional(),
        verbs: z.array(z.string()).optional(),
        nonResourceURLs: z.array(z.string()).optional(),
        resources: z
          .array(z.strictObject({ group: z.string().optional(), resources: z.array(z.string()).optional() }))
          .optional(),
      }),
    )
    .min(1),
});

/** What ends a component at its start, in its own words where they are known. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
}

/**
 * Checks the arguments of every component.
 * @param of the values of `<component>-arg`, as they were given
 * @returns what the model acts on
 * @throws ComponentError
 */
export function checkComponents(
  files: Files,
  of: (component: string) => readonly string[],
): { podSecurity: PodSecurityDefaults } {
  for (const component of COMPONENTS) for (const argument of of(component)) checkArgument(component, argument);
  const value = (name: string) =>
    of('kube-apiserver')
      .findLast((argument) => argument.startsWith(`${name}=`))
      ?.slice(name.length + 1);

  const plugins = value('enable-admission-plugins')?.split(',') ?? [];
  const unknown = plugins.find((plugin) => !PLUGINS.includes(plugin));
  if (unknown) throw new ComponentError(`enable-admission-plugins plugin "${unknown}" is unknown`);
  const policy = value('audit-policy-file');
  if (policy !== undefined) read(files, policy, POLICY, 'loading audit policy file: failed to read file path');
  const admission = value('admission-control-config-file');
  if (admission === undefined) return { podSecurity: PRIVILEGED };
  const configured = read(files, admission, ADMISSION, 'unable to read admission control configuration from').plugins;
  const podSecurity = configured.find((plugin) => plugin.name === 'PodSecurity')?.configuration;
  if (!podSecurity) return { podSecurity: PRIVILEGED };
  const { defaults, exemptions } = podSecurity;
  const levels: Record<'enforce' | 'warn', Level> = { enforce: defaults.enforce, warn: defaults.warn };
  return { podSecurity: { ...levels, exempt: exemptions.namespaces } };
}

function checkArgument(component: string, argument: string): void {
  const [, name = argument, value = ''] = /^([^=]+)=(.*)$/s.exec(argument) ?? [];
  const form = KNOWN[component]?.[name];
  if (!form) throw new ComponentError(`${component}: unknown flag: --${name} (or one that the model does not have)`);
  if (!form.test(value)) throw new ComponentError(`${component}: invalid argument "${value}" for "--${name}" flag`);
}

function read<T>(files: Files, path: string, schema: z.ZodType<T>, what: string): T {
  const text = files.read(path);
  if (text === undefined) throw new ComponentError(`${what} "${path}": open ${path}: no such file or directory`);
  const result = schema.safeParse(parse(text));
  if (!result.success) throw new ComponentError(`${what} "${path}": ${z.prettifyError(result.error)}`);
  return result.data;
}
