import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../config';
import { check } from './check';
import { configured } from './configure';
import { deliver } from './delivery';
import type { KubernetesObject } from './object';
import { readOwn } from './own';
import { readComponent } from './read';

export type { KubernetesObject } from './object';

/**
 * In the order in which they are applied. The echo service first, because the load balancer waits for it; what needs
 * minutes last, because nothing of the rest waits for that.
 */
const COMPONENTS: readonly { name: string; when: (config: Config) => boolean }[] = [
  { name: 'tcpecho', when: () => true },
  { name: 'traefik', when: () => true },
  { name: 'nginx-demo', when: ({ demo }) => demo.enabled },
  { name: 'coredns', when: () => true },
  // A domain requires an e-mail address as well; with the address alone it serves what people bring along.
  { name: 'cert-manager', when: ({ acme }) => acme.email !== undefined },
];

/** Within a component, what others need is applied before them, whatever file it is in. */
const KINDS = [
  'Namespace',
  'NetworkPolicy',
  'ConfigMap',
  'Service',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'Ingress',
  'HelmChartConfig',
  'HelmChart',
  'ClusterIssuer',
];

/**
 * The Kubernetes objects of a cluster, in the order in which they are applied: `manifests/<component>/*.yaml` with the
 * configuration's values set in them, then the user's own.
 * @param root the project root
 * @param echoTag of the echo image that is built for the cluster, unless the configuration names one
 * @throws naming the file and the field that is wrong
 */
export function renderManifests(root: string, config: Config, echoTag = 'unbuilt'): KubernetesObject[] {
  const objects = COMPONENTS.filter(({ when }) => when(config)).flatMap(({ name }) =>
    inOrder(configured(readComponent(root, name), config, echoTag)),
  );
  check(objects);
  return config.manifests === undefined ? objects : [...objects, ...readOwn(root, config.manifests, objects)];
}

/**
 * Writes them as one file for the nodes to download.
 * @returns its path and its SHA-256, which the nodes compare
 */
export function writeManifests(
  root: string,
  config: Config,
  path: string,
  echoTag?: string,
): { path: string; sha256: string } {
  const content = deliver(renderManifests(root, config, echoTag));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex') };
}

function inOrder(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const place = ({ kind, metadata }: KubernetesObject) => {
    const found = KINDS.indexOf(kind);
    if (found < 0) throw new Error(`${kind} ${metadata.name}: no order is known for this kind`);
    return found;
  };
  return [...objects].sort((one, other) => place(one) - place(other));
}
