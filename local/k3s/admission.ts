/** What the API server asks before it stores an object: Pod Security, and cert-manager's webhook. */
import { type Api, ApiError } from './api';
import { CERT_MANAGER } from './cert-manager/objects';
import { group, type Kind } from './kinds';
import { networkPolicies } from './network-policy';
import { condition, DaemonSet, Deployment, type KubeObject, Pod } from './objects';
import { level, violations } from './pod-security';

/** Throws Forbidden or InternalError, in the words of whoever refuses. */
export function admit(api: Api, kind: Kind, object: KubeObject): void {
  if (kind.kind === 'Pod') admitPod(api, Pod.parse(object));
  if (group(kind).endsWith(CERT_MANAGER)) requireWebhook(api);
}

/** What `kubectl` prints as warnings: the `warn` level, which looks at workloads as well. */
export function warningsAbout(api: Api, object: KubeObject): string[] {
  const spec =
    object.kind === 'Pod'
      ? Pod.parse(object).spec
      : object.kind === 'Deployment'
        ? Deployment.parse(object).spec.template.spec
        : object.kind === 'DaemonSet'
          ? DaemonSet.parse(object).spec.template.spec
          : undefined;
  const warned = level(namespaceOf(api, object), 'warn', api.podSecurity);
  const found = spec ? violations(spec, warned.level) : [];
  return found.length > 0 ? [`would violate PodSecurity "${warned.level}:${warned.version}": ${found.join(', ')}`] : [];
}

function admitPod(api: Api, pod: Pod): void {
  const enforced = level(namespaceOf(api, pod), 'enforce', api.podSecurity);
  const found = violations(pod.spec, enforced.level);
  if (found.length === 0) return;
  const { name } = pod.metadata;
  throw new ApiError(
    'Forbidden',
    `pods "${name}" is forbidden: violates PodSecurity "${enforced.level}:${enforced.version}": ${found.join(', ')}`,
  );
}

function namespaceOf(api: Api, { metadata }: KubeObject): KubeObject | undefined {
  return api.get('Namespace', metadata.namespace ?? 'default');
}

/** The port of cert-manager's webhook. */
const WEBHOOK_PORT = 10250;

/**
 * Between the definitions and the webhook's first ready pod, the API server refuses cert-manager's objects; and as long as
 * a NetworkPolicy keeps it from the webhook.
 */
function requireWebhook(api: Api): void {
  const ready = api.list<Pod>('Pod').filter(({ metadata, status }) => {
    const own = metadata.labels?.['app.kubernetes.io/name'] === 'webhook';
    return own && !metadata.deletionTimestamp && condition({ status }, 'Ready')?.status === 'True';
  });
  const policies = networkPolicies(api);
  if (ready.some((pod) => policies.permits('network', { pod }, WEBHOOK_PORT))) return;
  const service = api.list('Service').find(({ metadata }) => metadata.name === 'cert-manager-webhook');
  const namespace = service?.metadata.namespace ?? 'cert-manager';
  const why =
    ready.length > 0 ? 'context deadline exceeded' : 'no endpoints available for service "cert-manager-webhook"';
  throw new ApiError(
    'InternalError',
    'Internal error occurred: failed calling webhook "webhook.cert-manager.io": failed to call webhook: Post ' +
      `"https://cert-manager-webhook.${namespace}.svc:443/validate?timeout=30s": ${why}`,
  );
}
