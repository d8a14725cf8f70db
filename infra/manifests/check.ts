import * as z from 'zod';
import { as, identity, type KubernetesObject, label } from './object';

const WORKLOAD = z.looseObject({
  spec: z.looseObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        containers: z.array(z.looseObject({ image: z.string() })).min(1),
        initContainers: z.array(z.looseObject({ image: z.string() })).optional(),
      }),
    }),
  }),
});
const CHART = z.looseObject({ spec: z.looseObject({ version: z.string().optional() }) });

/**
 * Faults of what we ship that the API server would accept and people would find at night.
 * @throws naming the object
 */
export function check(objects: readonly KubernetesObject[]): void {
  const seen = new Set<string>();
  for (const object of objects) {
    if (seen.has(identity(object))) throw new Error(`${label(object)} is there twice`);
    seen.add(identity(object));
    if (object.kind === 'DaemonSet' || object.kind === 'Deployment') checkWorkload(object);
    if (object.kind === 'HelmChart') checkChart(object);
  }
}

function checkWorkload(object: KubernetesObject): void {
  const { selector, template } = as(WORKLOAD, object, label(object)).spec;
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    if (template.metadata.labels[key] !== value) throw new Error(`${label(object)}: its selector misses its own pods`);
  }
  for (const { image } of [...template.spec.containers, ...(template.spec.initContainers ?? [])]) {
    if (!/(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image)) {
      throw new Error(`${label(object)}: image ${image} must be pinned to a tag other than latest, or to a digest`);
    }
  }
}

/** A chart's version decides its images. */
function checkChart(object: KubernetesObject): void {
  const { version } = as(CHART, object, label(object)).spec;
  if (!/^v?\d+\.\d+\.\d+$/.test(version ?? ''))
    throw new Error(`${label(object)}: its chart must have an exact version`);
}
