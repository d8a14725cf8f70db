/**
 * K3s' Helm controller: a HelmChart becomes an installed release some time later, by a job that runs as a pod; a
 * HelmChartConfig of its name overrides its values (https://docs.k3s.io/add-ons/helm). The model has no Helm: it knows
 * what the charts of this project install, and says so of any other.
 */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Api, ApiError } from './api';
import { CertManagerChart } from './cert-manager/chart';
import { type Chart, ChartError, type Values } from './chart';
import type { Cluster } from './cluster';
import { allKinds, kindNamed } from './kinds';
import { HelmChart, HelmChartConfig, type KubeObject, timestamp, withCondition } from './objects';
import { TraefikChart } from './traefik-chart';

const CHARTS: readonly Chart[] = [TraefikChart, CertManagerChart];

/** What the running release was installed from. */
const INSTALLED = 'helmcharts.helm.cattle.io/configHash';
const RELEASE = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';

export class HelmController {
  private readonly due = new Map<string, { hash: string; at: number }>();
  /** Releases by namespace and name of their HelmChart, as last seen: what is missing was uninstalled. */
  private known = new Map<string, { name: string; namespace: string }>();

  /** The revision that was last looked at and left nothing to wait for. */
  private seen = -1;

  constructor(private readonly cluster: Cluster) {}

  reconcile(): void {
    const { api } = this.cluster;
    // What is installed depends on what is written alone.
    if (this.due.size === 0 && api.revision === this.seen) return;
    this.seen = api.revision;
    const charts = api.list('HelmChart').map((object) => HelmChart.parse(object));
    for (const chart of charts) this.care(chart);
    const present = new Map(charts.map((chart) => [pathOf(chart), releaseOf(chart)]));
    for (const [path, release] of this.known) if (!present.has(path)) this.uninstall(release);
    this.known = present;
  }

  private care(chart: HelmChart): void {
    const { world } = this.cluster.model;
    const config = this.config(chart);
    const hash = createHash('sha256')
      .update(JSON.stringify([chart.spec, config]))
      .digest('hex');
    if (chart.metadata.annotations?.[INSTALLED] === hash) return;
    // The job runs as a pod: it needs a node that is Ready.
    if (this.cluster.reporting().length === 0) {
      this.seen = -1;
      return;
    }
    const path = pathOf(chart);
    let due = this.due.get(path);
    if (due?.hash !== hash) {
      due = { hash, at: world.clock.now() + world.latency.sample('k3s.helm-install', path) };
      this.due.set(path, due);
    }
    if (world.clock.now() < due.at) return;
    this.due.delete(path);
    const problem = this.install(chart, config);
    if (problem !== undefined) world.log(`the chart ${chart.metadata.name} cannot be installed`, { error: problem });
    const at = timestamp(world.clock.now());
    const stored = this.cluster.api.require(kindNamed('HelmChart'), chart.metadata.name, chart.metadata.namespace);
    const failed = {
      type: 'Failed',
      status: problem === undefined ? ('False' as const) : ('True' as const),
      reason: problem === undefined ? 'Job Complete' : 'Job Failed',
      message: problem ?? '',
    };
    this.cluster.api.update({
      ...stored,
      metadata: { ...stored.metadata, annotations: { ...stored.metadata.annotations, [INSTALLED]: hash } },
      status: { jobName: `helm-install-${chart.metadata.name}`, conditions: withCondition(undefined, failed, at) },
    });
  }

  private config({ metadata }: HelmChart): string {
    const config = this.cluster.api.get('HelmChartConfig', metadata.name, metadata.namespace);
    return config ? HelmChartConfig.parse(config).spec.valuesContent : '';
  }

  /** The reason why it failed; undefined when it did not. */
  private install(helmChart: HelmChart, config: string): string | undefined {
    const { api } = this.cluster;
    const { spec } = helmChart;
    const { name, namespace } = releaseOf(helmChart);
    const chart = CHARTS.find((candidate) => candidate.matches(spec));
    if (!chart) return `the model of Helm has no chart ${spec.chart} of ${spec.repo ?? 'no repository'}`;
    try {
      if (spec.createNamespace && !api.get('Namespace', namespace)) {
        api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      }
      const values = merged(merged(read(spec.valuesContent), nested(spec.set ?? {})), read(config));
      const objects = chart.objects({ api, name, namespace, values });
      for (const object of objects) put(api, owned(object, name, namespace));
      this.removeStale(name, namespace, objects);
      return undefined;
    } catch (error) {
      if (error instanceof ChartError || error instanceof ApiError) return error.message;
      throw error;
    }
  }

  /** What an earlier installation brought and this one does not. */
  private removeStale(name: string, namespace: string, objects: readonly KubeObject[]): void {
    for (const object of this.release(name, namespace)) {
      const kept = objects.some(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name);
      if (!kept) this.cluster.api.forget(object);
    }
  }

  /** Definitions stay, as charts ask Helm to keep them. */
  private uninstall({ name, namespace }: { name: string; namespace: string }): void {
    for (const object of this.release(name, namespace)) this.cluster.api.forget(object);
  }

  private release(name: string, namespace: string): KubeObject[] {
    const kinds = allKinds().filter(({ kind }) => kind !== 'CustomResourceDefinition');
    return kinds
      .flatMap(({ kind }) => this.cluster.api.list(kind))
      .filter(({ metadata: { annotations } }) => {
        return annotations?.[RELEASE] === name && annotations[RELEASE_NAMESPACE] === namespace;
      });
  }
}

const pathOf = ({ metadata }: HelmChart) => `${metadata.namespace}/${metadata.name}`;

const releaseOf = ({ metadata, spec }: HelmChart) => ({
  name: metadata.name,
  namespace: spec.targetNamespace ?? metadata.namespace ?? 'default',
});

function owned(object: KubeObject, name: string, namespace: string): KubeObject {
  const annotations = { ...object.metadata.annotations, [RELEASE]: name, [RELEASE_NAMESPACE]: namespace };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Creates, or replaces: a value that is no longer given goes. What others added to a running workload stays theirs. */
function put(api: Api, object: KubeObject): void {
  const { name, namespace } = object.metadata;
  const existing = api.get(object.kind, name, namespace);
  if (!existing) api.create(object);
  else if (object.kind === 'Service') api.apply(object, 'helm');
  else api.update({ ...existing, ...object, metadata: { ...existing.metadata, ...object.metadata } });
}

const ValuesMap = z.record(z.string(), z.unknown());

function read(text: string): Values {
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch (error) {
    throw new ChartError(`failed to parse values: ${error instanceof Error ? error.message : error}`);
  }
  const values = ValuesMap.safeParse(content);
  if (!values.success) throw new ChartError('failed to parse values: not a map');
  return values.data;
}

/** `a.b: c` of `set` as `{a: {b: c}}`. */
function nested(set: Record<string, string | number | boolean>): Values {
  return Object.entries(set).reduce<Values>((values, [path, value]) => {
    const single = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    return merged(values, ValuesMap.parse(single));
  }, {});
}

/** Maps are merged, everything else is replaced by the later. */
function merged(first: Values, second: Values): Values {
  const result = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const [before, after] = [ValuesMap.safeParse(result[key]), ValuesMap.safeParse(value)];
    result[key] = before.success && after.success ? merged(before.data, after.data) : value;
  }
  return result;
}
