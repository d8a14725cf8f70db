/** A Helm chart as the model knows it: the objects that its installation leaves behind. */
import type { Api } from './api';
import { kindNamed } from './kinds';
import type { HelmChart, KubeObject } from './objects';

/** What a chart's installation ends with when it fails. */
export class ChartError extends Error {
  override readonly name = 'ChartError';
}

export type Values = Record<string, unknown>;

export interface Release {
  api: Api;
  name: string;
  namespace: string;
  values: Values;
}

/** A chart, as the objects that it installs. */
export interface Chart {
  /** Whether a HelmChart means this one. */
  matches(spec: HelmChart['spec']): boolean;
  /** The objects, in the order of their creation. Throws ChartError. */
  objects(release: Release): KubeObject[];
}

/** A definition that makes the API serve a custom kind. */
export function definitionOf(name: string): KubeObject {
  const kind = kindNamed(name);
  const [group = '', version = ''] = kind.apiVersion.split('/');
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${group}` },
    spec: {
      group,
      names: { kind: kind.kind, plural: kind.plural, shortNames: kind.short },
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      versions: [{ name: version, served: true, storage: true }],
    },
  };
}
