/**
 * Validates Kubernetes objects against the schemas of their API, offline. The schemas of kubernetes-models let unknown
 * fields pass; the API server, asked for strict validation as kubectl does, does not. A validator reads every field that
 * it knows, so a field that it never read is unknown.
 */
import * as z from 'zod';
import type { KubernetesObject } from '../../infra/manifests';
import { HelmChart, HelmChartConfig } from '../../local/k3s/objects';

const MODEL = z.custom<new (data: object) => { validate(): void }>((value) => typeof value === 'function');

/** Known to cert-manager since v1.12 (cert-manager#5849), not yet to the package's schemas. */
const NEWER = /^\/spec\/acme\/solvers\/\d+\/http01\/ingress\/ingressClassName$/;

/** What is wrong with an object; empty when nothing is. */
export function faultsOf(object: KubernetesObject): string[] {
  // K3s' own kinds: what https://docs.k3s.io/add-ons/helm lists, as the model has it.
  if (object.kind === 'HelmChart') return zodFaults(HelmChart.safeParse(object));
  if (object.kind === 'HelmChartConfig') return zodFaults(HelmChartConfig.safeParse(object));
  const Model = modelOf(object);
  const read = new Set<string>();
  const faults: string[] = [];
  try {
    watched(new Model(object), '', read).validate();
  } catch (error) {
    faults.push(...(error instanceof Error ? error.message : String(error)).split(', '));
  }
  const unknown = paths(object, '').filter((path) => !read.has(path) && !NEWER.test(path));
  return [...faults, ...unknown.map((path) => `${path} is unknown`)];
}

function zodFaults({ error }: { error?: { issues: { path: PropertyKey[]; message: string }[] } }): string[] {
  return (error?.issues ?? []).map(({ path, message }) => `${path.map(String).join('/')} ${message}`);
}

/** As the packages are organised: `kubernetes-models/apps/v1` has `Deployment`. */
function modelOf({ apiVersion, kind }: KubernetesObject): z.output<typeof MODEL> {
  const own = apiVersion.includes('cert-manager.io/');
  const models = require(`${own ? '@kubernetes-models/cert-manager' : 'kubernetes-models'}/${apiVersion}`);
  return MODEL.parse(models[kind], { error: () => `there is no schema of ${apiVersion} ${kind}` });
}

/** The same value, noting what is read of it. */
function watched<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => {
      if (typeof key === 'symbol') return Reflect.get(target, key);
      read.add(`${path}/${key}`);
      return watched(Reflect.get(target, key), `${path}/${key}`, read);
    },
  });
}

function paths(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...paths(inner, `${path}/${key}`)]);
}
