/** What a web server's pod answers: its `index.html.template`, filled in as the nginx image's entrypoint does. */
import { z } from 'zod';
import type { Api } from './api';
import type { Pod } from './objects';

const Environment = z.array(
  z.looseObject({
    name: z.string(),
    value: z.string().optional(),
    valueFrom: z.looseObject({ fieldRef: z.looseObject({ fieldPath: z.string() }).optional() }).optional(),
  }),
);
const Volumes = z.array(z.looseObject({ configMap: z.looseObject({ name: z.string() }).optional() }));
const ConfigMapData = z.record(z.string(), z.string());

/** The page, from the first config map volume that carries a template; without one, a line naming node and zone. */
export function pageOf(api: Api, pod: Pod): string {
  const variables = new Map<string, string>();
  for (const container of pod.spec.containers) {
    for (const { name, value, valueFrom } of Environment.safeParse(container.env).data ?? []) {
      variables.set(name, value ?? field(pod, valueFrom?.fieldRef?.fieldPath ?? ''));
    }
  }
  for (const { configMap } of Volumes.safeParse(pod.spec.volumes).data ?? []) {
    const object = configMap && api.get('ConfigMap', configMap.name, pod.metadata.namespace);
    const template = ConfigMapData.safeParse(object?.data).data?.['index.html.template'];
    if (template !== undefined) return template.replaceAll(/\$\{(\w+)\}/g, (_, name) => variables.get(name) ?? '');
  }
  const node = pod.spec.nodeName ?? '';
  const zone = pod.metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
  return `<!doctype html>\n<title>${pod.metadata.name}</title>\n<p>Answered by node ${node} in zone ${zone}.</p>\n`;
}

/** A downward API field (https://kubernetes.io/docs/concepts/workloads/pods/downward-api/). */
function field(pod: Pod, path: string): string {
  if (path === 'spec.nodeName') return pod.spec.nodeName ?? '';
  if (path === 'metadata.name') return pod.metadata.name;
  if (path === 'metadata.namespace') return pod.metadata.namespace ?? '';
  const label = /^metadata\.labels\['([^']+)'\]$/.exec(path)?.[1];
  if (label !== undefined) return pod.metadata.labels?.[label] ?? '';
  const annotation = /^metadata\.annotations\['([^']+)'\]$/.exec(path)?.[1];
  if (annotation !== undefined) return pod.metadata.annotations?.[annotation] ?? '';
  return '';
}
