import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import * as z from 'zod';
import type { Config } from './config';
import { POD_CIDR } from './defaults';

/** In the order in which they are applied: the echo service first, because the load balancer waits for it. */
const COMPONENTS = ['tcpecho', 'traefik', 'nginx-demo'] as const;

/** What others need is applied before them, whatever file it is in. */
const KINDS = [
  'Namespace',
  'ConfigMap',
  'Service',
  'DaemonSet',
  'Deployment',
  'PodDisruptionBudget',
  'Ingress',
  'HelmChartConfig',
];

/** What every object of ours has; the rest of it is the object's own. */
const OBJECT = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().refine((kind) => KINDS.includes(kind), { error: `must be one of ${KINDS.join(', ')}` }),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().min(1).optional(),
    labels: z.record(z.string(), z.string()),
  }),
});
export type KubernetesObject = z.output<typeof OBJECT>;

const CONTAINER = z.looseObject({ name: z.string(), image: z.string() });
const WORKLOAD = z.looseObject({
  spec: z.looseObject({
    replicas: z.int().optional(),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({ containers: z.array(CONTAINER).min(1) }),
    }),
  }),
});
const INGRESS = z.looseObject({ spec: z.looseObject({ rules: z.tuple([z.looseObject({ http: z.unknown() })]) }) });
const HELM = z.looseObject({ spec: z.strictObject({ valuesContent: z.string() }) });
const TRUSTING = z.looseObject({ proxyProtocol: z.strictObject({ trustedIPs: z.array(z.string()) }) });
const TRAEFIK = z.looseObject({
  podDisruptionBudget: z.looseObject({ minAvailable: z.int() }),
  ports: z.looseObject({ web: TRUSTING, websecure: TRUSTING }),
});

/**
 * The Kubernetes objects of a cluster: `manifests/<component>/*.yaml` with the configuration's values set in them.
 * @param root the project root
 * @throws naming the file and the field that is wrong
 */
export function renderManifests(root: string, config: Config): KubernetesObject[] {
  const components = COMPONENTS.filter((component) => component !== 'nginx-demo' || config.demo.enabled);
  const objects = components.flatMap((component) => read(root, component).map((object) => configured(object, config)));
  for (const object of objects) check(object);
  const order = (object: KubernetesObject) => KINDS.indexOf(object.kind);
  return objects.sort((one, other) => order(one) - order(other));
}

/**
 * Writes them as one file (JSON is YAML, and a `List` is one object) for the nodes to download.
 * @returns its path and its SHA-256, which the nodes compare
 */
export function writeManifests(root: string, config: Config, path: string): { path: string; sha256: string } {
  const list = { apiVersion: 'v1', kind: 'List', items: renderManifests(root, config) };
  const content = `${JSON.stringify(list, null, 2)}\n`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex') };
}

function read(root: string, component: string): KubernetesObject[] {
  const folder = join(root, 'manifests', component);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => parseFile(readFileSync(join(folder, name), 'utf8'), `manifests/${component}/${name}`));
}

function parseFile(text: string, file: string): KubernetesObject[] {
  return [...parseAllDocuments(text)].map((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${file}: ${error.message}`);
    return as(OBJECT, document.toJS(), file);
  });
}

/** Sets the configuration's values: by field of a parsed object, never in text. */
function configured(object: KubernetesObject, config: Config): KubernetesObject {
  switch (`${object.kind}/${object.metadata.name}`) {
    case 'DaemonSet/tcpecho':
      return withImage(object, config.tcpechoImage);
    case 'Deployment/nginx-demo':
      return withReplicas(object, config.demo.replicas);
    case 'Ingress/nginx-demo':
      return config.domain ? withHost(object, config.domain) : object;
    case 'HelmChartConfig/traefik':
      return withTraefik(object, config);
    default:
      return object;
  }
}

function withImage(object: KubernetesObject, image: string): KubernetesObject {
  const { spec } = as(WORKLOAD, object, label(object));
  const [container, ...others] = spec.template.spec.containers;
  if (!container || others.length > 0) throw new Error(`${label(object)} must have one container`);
  const podSpec = { ...spec.template.spec, containers: [{ ...container, image }] };
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: podSpec } } };
}

function withReplicas(object: KubernetesObject, replicas: number): KubernetesObject {
  const { spec } = as(WORKLOAD, object, label(object));
  return { ...object, spec: { ...spec, replicas } };
}

function withHost(object: KubernetesObject, host: string): KubernetesObject {
  const { spec } = as(INGRESS, object, label(object));
  return { ...object, spec: { ...spec, rules: [{ host, ...spec.rules[0] }] } };
}

/** Every server but one keeps its Traefik, which believes the PROXY header of the load balancer (VPC) and of ServiceLB (pods). */
function withTraefik(object: KubernetesObject, config: Config): KubernetesObject {
  const { spec } = as(HELM, object, label(object));
  const values = as(TRAEFIK, parse(spec.valuesContent), `valuesContent of ${label(object)}`);
  const proxyProtocol = { trustedIPs: [config.network.cidr, POD_CIDR] };
  const valuesContent = stringify({
    ...values,
    podDisruptionBudget: { ...values.podDisruptionBudget, minAvailable: config.servers - 1 },
    ports: {
      ...values.ports,
      web: { ...values.ports.web, proxyProtocol },
      websecure: { ...values.ports.websecure, proxyProtocol },
    },
  });
  return { ...object, spec: { valuesContent } };
}

/** Faults that the API server would accept and people would find at night. */
function check(object: KubernetesObject): void {
  if (object.kind !== 'DaemonSet' && object.kind !== 'Deployment') return;
  const { selector, template } = as(WORKLOAD, object, label(object)).spec;
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    if (template.metadata.labels[key] !== value) throw new Error(`${label(object)}: its selector misses its own pods`);
  }
  for (const { image } of template.spec.containers) {
    if (!/(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image)) {
      throw new Error(`${label(object)}: image ${image} must be pinned to a tag other than latest, or to a digest`);
    }
  }
}

function as<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
  throw new Error(`${what} is not valid: ${faults.join('; ')}`);
}

function label(object: KubernetesObject): string {
  return `${object.kind} ${object.metadata.name}`;
}
