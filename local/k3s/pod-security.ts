/**
 * Pod Security Standards, as Pod Security Admission checks them: the controls that a pod of this project could violate.
 * Texts and order are those of k8s.io/pod-security-admission policy/check_*.go.
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
import { z } from 'zod';
import type { KubeObject } from './objects';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** What holds where a namespace says nothing, and the namespaces that are never looked at. */
export interface PodSecurityDefaults {
  readonly enforce: Level;
  readonly warn: Level;
  readonly exempt: readonly string[];
}

/** Kubernetes' own defaults. */
export const PRIVILEGED: PodSecurityDefaults = { enforce: 'privileged', warn: 'privileged', exempt: [] };

/** A namespace's level of a mode and its version: from its labels, else the default. */
export function level(
  namespace: KubeObject | undefined,
  mode: 'enforce' | 'warn',
  defaults: PodSecurityDefaults,
): { level: Level; version: string } {
  if (defaults.exempt.includes(namespace?.metadata.name ?? '')) return { level: 'privileged', version: 'latest' };
  const label = `pod-security.kubernetes.io/${mode}`;
  const value = namespace?.metadata.labels?.[label];
  const version = namespace?.metadata.labels?.[`${label}-version`] ?? 'latest';
  // What cannot be understood is taken as the strictest (policy/api ToPolicy).
  const known = value === 'privileged' || value === 'baseline' ? value : 'restricted';
  return { level: value === undefined ? defaults[mode] : known, version };
}

const Context = z.looseObject({
  allowPrivilegeEscalation: z.boolean().optional(),
  privileged: z.boolean().optional(),
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  capabilities: z.looseObject({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() }).optional(),
  seccompProfile: z.looseObject({ type: z.string() }).optional(),
});

const Container = z.looseObject({
  name: z.string(),
  securityContext: Context.optional(),
  ports: z.array(z.looseObject({ hostPort: z.number().optional() })).optional(),
});
type Container = z.infer<typeof Container>;

const Spec = z.looseObject({
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  securityContext: Context.optional(),
  initContainers: z.array(Container).optional(),
  containers: z.array(Container),
  volumes: z.array(z.looseObject({ name: z.string() })).optional(),
});
type Spec = z.infer<typeof Spec>;

/** What a pod does that its namespace's level forbids. */
export function violations(podSpec: unknown, wanted: Level): string[] {
  if (wanted === 'privileged') return [];
  const spec = Spec.parse(podSpec);
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const found = baseline(spec, containers);
  return wanted === 'restricted' ? [...found, ...restricted(spec, containers)] : found;
}

/** Capabilities that Docker gives anyway (check_capabilities_baseline.go). */
const HARMLESS = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
);

function baseline(spec: Spec, containers: readonly Container[]): string[] {
  const found: string[] = [];
  const namespaces = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name]);
  if (namespaces.length > 0) found.push(`host namespaces (${namespaces.map((name) => `${name}=true`).join(', ')})`);
  const adding = containers.filter((own) =>
    own.securityContext?.capabilities?.add?.some((name) => !HARMLESS.has(name)),
  );
  if (adding.length > 0) {
    const added = adding.flatMap((own) => own.securityContext?.capabilities?.add ?? []);
    const names = added.filter((name) => !HARMLESS.has(name)).map((name) => `"${name}"`);
    found.push(
      `non-default capabilities (${named(adding)} must not include ${names.join(', ')} in securityContext.capabilities.add)`,
    );
  }
  const paths = (spec.volumes ?? []).filter((volume) => 'hostPath' in volume).map(({ name }) => `"${name}"`);
  if (paths.length > 0) found.push(`hostPath volumes (volume${paths.length > 1 ? 's' : ''} ${paths.join(', ')})`);
  const open = containers.filter(({ ports }) => ports?.some(({ hostPort }) => hostPort));
  if (open.length > 0) {
    const numbers = open.flatMap(({ ports }) => ports?.flatMap(({ hostPort }) => hostPort ?? []) ?? []);
    found.push(`hostPort (${named(open)} uses hostPort${numbers.length > 1 ? 's' : ''} ${numbers.join(', ')})`);
  }
  const privileged = containers.filter(({ securityContext }) => securityContext?.privileged);
  if (privileged.length > 0)
    found.push(`privileged (${named(privileged)} must not set securityContext.privileged=true)`);
  return found;
}

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const PROFILES = new Set(['RuntimeDefault', 'Localhost']);

function restricted(spec: Spec, containers: readonly Container[]): string[] {
  const found: string[] = [];
  const escalating = containers.filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (escalating.length > 0) {
    found.push(
      `allowPrivilegeEscalation != false (${named(escalating)} must set securityContext.allowPrivilegeEscalation=false)`,
    );
  }
  const capable = containers.filter(({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
  const added = containers.filter(({ securityContext }) =>
    securityContext?.capabilities?.add?.some((name) => name !== 'NET_BIND_SERVICE'),
  );
  if (capable.length > 0 || added.length > 0) {
    const reasons = [
      ...(capable.length > 0 ? [`${named(capable)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(added.length > 0
        ? [`${named(added)} must not include ${capabilities(added)} in securityContext.capabilities.add`]
        : []),
    ];
    found.push(`unrestricted capabilities (${reasons.join('; ')})`);
  }
  const volumes = (spec.volumes ?? []).flatMap((volume) => {
    const type = Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
    return VOLUMES.has(type) ? [] : [`volume "${volume.name}" uses restricted volume type "${type}"`];
  });
  if (volumes.length > 0) found.push(`restricted volume types (${volumes.join('; ')})`);
  const whole = spec.securityContext?.runAsNonRoot;
  const rooted = containers.filter(({ securityContext }) => (securityContext?.runAsNonRoot ?? whole) !== true);
  if (rooted.length > 0) {
    found.push(`runAsNonRoot != true (${whose(rooted, containers)} must set securityContext.runAsNonRoot=true)`);
  }
  const zeros = containers.filter(({ securityContext }) => securityContext?.runAsUser === 0);
  if (spec.securityContext?.runAsUser === 0 || zeros.length > 0) {
    const whoIs = spec.securityContext?.runAsUser === 0 ? 'pod' : named(zeros);
    found.push(`runAsUser=0 (${whoIs} must not set runAsUser=0)`);
  }
  const profile = spec.securityContext?.seccompProfile;
  const unconfined = containers.filter(
    ({ securityContext }) => !PROFILES.has((securityContext?.seccompProfile ?? profile)?.type ?? ''),
  );
  if (unconfined.length > 0) {
    found.push(
      `seccompProfile (${whose(unconfined, containers)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
    );
  }
  return found;
}

function capabilities(containers: readonly Container[]): string {
  const names = containers.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []);
  return [...new Set(names)]
    .filter((name) => name !== 'NET_BIND_SERVICE')
    .map((name) => `"${name}"`)
    .join(', ');
}

/** `container "a"`, `containers "a", "b"`. */
function named(containers: readonly Container[]): string {
  return `container${containers.length > 1 ? 's' : ''} ${containers.map(({ name }) => `"${name}"`).join(', ')}`;
}

/** The pod could say it for all of them. */
function whose(faulty: readonly Container[], all: readonly Container[]): string {
  return faulty.length === all.length ? `pod or ${named(faulty)}` : named(faulty);
}
