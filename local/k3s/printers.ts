/** How kubectl prints objects: tables for people, and the formats scripts ask for. */
import { stringify } from 'yaml';
import { evaluate, JsonPathError, print, valuesAt } from './jsonpath';
import { type Kind, qualified } from './kinds';
import { condition, DaemonSet, Deployment, Ingress, type KubeObject, Node, Pod, Service } from './objects';

/** An output format that the model does not have, or one that kubectl refuses. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

interface Printing {
  kind: Kind;
  /** One object was asked for by name, rather than a list. */
  single: boolean;
  headers: boolean;
  /** Of all namespaces: the table shows which. */
  namespaces: boolean;
  now: number;
}

/** `format` is the value of `--output`; empty for the default table. */
export function render(objects: readonly KubeObject[], format: string, options: Printing): string {
  const [name, argument = ''] = split(format);
  const root = options.single ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects, metadata: {} };
  switch (name) {
    case '':
    case 'wide':
      return table(objects, name === 'wide', options);
    case 'json':
      return `${JSON.stringify(root, undefined, 4)}\n`;
    case 'yaml':
      return stringify(root);
    case 'name':
      return objects.map(({ metadata }) => `${qualified(options.kind)}/${metadata.name}\n`).join('');
    case 'jsonpath':
      try {
        return evaluate(argument, root);
      } catch (error) {
        throw error instanceof JsonPathError ? new FormatError(error.message) : error;
      }
    case 'custom-columns':
      return customColumns(objects, argument, options.headers);
    default:
      throw new FormatError(`the model of kubectl has no output format ${format}`);
  }
}

function split(format: string): [string, string?] {
  const at = format.indexOf('=');
  return at < 0 ? [format] : [format.slice(0, at), format.slice(at + 1)];
}

function customColumns(objects: readonly KubeObject[], specification: string, headers: boolean): string {
  const columns = specification.split(',').map((column) => {
    const at = column.indexOf(':');
    if (at < 1) throw new FormatError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`);
    return { header: column.slice(0, at), path: column.slice(at + 1).replace(/^\{(.*)\}$/, '$1') };
  });
  try {
    const rows = objects.map((object) =>
      columns.map(({ path }) => {
        const values = valuesAt(object, path);
        return values.length === 0 ? '<none>' : values.map(print).join(',');
      }),
    );
    return align(headers ? [columns.map(({ header }) => header), ...rows] : rows);
  } catch (error) {
    throw error instanceof JsonPathError ? new FormatError(error.message) : error;
  }
}

interface Column {
  header: string;
  wide?: true;
  value(object: KubeObject, now: number): string;
}

const NAME: Column = { header: 'NAME', value: ({ metadata }) => metadata.name };
const AGE: Column = {
  header: 'AGE',
  value: ({ metadata }, now) => age(now - Date.parse(metadata.creationTimestamp ?? '')),
};
const address = (object: KubeObject, type: string) =>
  Node.parse(object).status.addresses?.find((candidate) => candidate.type === type)?.address ?? '<none>';
const count = (object: KubeObject, field: string): number => {
  const { status } = object;
  const value = typeof status === 'object' && status !== null ? new Map(Object.entries(status)).get(field) : undefined;
  return typeof value === 'number' ? value : 0;
};

const TABLES: Record<string, Column[]> = {
  Node: [
    NAME,
    { header: 'STATUS', value: nodeStatus },
    { header: 'ROLES', value: roles },
    AGE,
    { header: 'VERSION', value: (object) => print(valuesAt(object, '.status.nodeInfo.kubeletVersion')[0] ?? '') },
    { header: 'INTERNAL-IP', wide: true, value: (object) => address(object, 'InternalIP') },
    { header: 'OS-IMAGE', wide: true, value: (object) => print(valuesAt(object, '.status.nodeInfo.osImage')[0] ?? '') },
  ],
  Pod: [
    NAME,
    {
      header: 'READY',
      value: (object) => `${ready(Pod.parse(object)) ? containers(object) : 0}/${containers(object)}`,
    },
    { header: 'STATUS', value: podStatus },
    { header: 'RESTARTS', value: () => '0' },
    AGE,
    { header: 'IP', wide: true, value: (object) => Pod.parse(object).status?.podIP ?? '<none>' },
    { header: 'NODE', wide: true, value: (object) => Pod.parse(object).spec.nodeName ?? '<none>' },
  ],
  Deployment: [
    NAME,
    {
      header: 'READY',
      value: (object) => `${count(object, 'readyReplicas')}/${Deployment.parse(object).spec.replicas}`,
    },
    { header: 'UP-TO-DATE', value: (object) => String(count(object, 'updatedReplicas')) },
    { header: 'AVAILABLE', value: (object) => String(count(object, 'availableReplicas')) },
    AGE,
  ],
  DaemonSet: [
    NAME,
    { header: 'DESIRED', value: (object) => String(count(object, 'desiredNumberScheduled')) },
    { header: 'CURRENT', value: (object) => String(count(object, 'currentNumberScheduled')) },
    { header: 'READY', value: (object) => String(count(object, 'numberReady')) },
    { header: 'UP-TO-DATE', value: (object) => String(count(object, 'updatedNumberScheduled')) },
    { header: 'AVAILABLE', value: (object) => String(count(object, 'numberAvailable')) },
    { header: 'NODE SELECTOR', value: (object) => pairs(DaemonSet.parse(object).spec.template.spec.nodeSelector) },
    AGE,
  ],
  Service: [
    NAME,
    { header: 'TYPE', value: (object) => Service.parse(object).spec.type },
    { header: 'CLUSTER-IP', value: (object) => Service.parse(object).spec.clusterIP ?? '<none>' },
    {
      header: 'EXTERNAL-IP',
      value: (object) => valuesAt(object, '.status.loadBalancer.ingress[*].ip').map(print).join(',') || '<none>',
    },
    { header: 'PORT(S)', value: (object) => ports(Service.parse(object)) },
    AGE,
    { header: 'SELECTOR', wide: true, value: (object) => pairs(Service.parse(object).spec.selector) },
  ],
  Ingress: [
    NAME,
    { header: 'CLASS', value: (object) => Ingress.parse(object).spec.ingressClassName ?? '<none>' },
    {
      header: 'HOSTS',
      value: (object) =>
        Ingress.parse(object)
          .spec.rules.map(({ host }) => host ?? '*')
          .join(','),
    },
    { header: 'PORTS', value: (object) => (Ingress.parse(object).spec.tls ? '80, 443' : '80') },
    AGE,
  ],
  Namespace: [NAME, { header: 'STATUS', value: () => 'Active' }, AGE],
};

function table(objects: readonly KubeObject[], wide: boolean, { kind, headers, namespaces, now }: Printing): string {
  const columns = (TABLES[kind.kind] ?? [NAME, AGE]).filter((column) => wide || !column.wide);
  if (namespaces && kind.namespaced) {
    columns.unshift({ header: 'NAMESPACE', value: ({ metadata }) => metadata.namespace ?? '' });
  }
  const rows = objects.map((object) => columns.map(({ value }) => value(object, now)));
  return align(headers ? [columns.map(({ header }) => header), ...rows] : rows);
}

/** Columns three spaces apart, as kubectl's tab writer does. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)) + 3);
  const last = widths.length - 1;
  return rows
    .map((row) => `${row.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column]!))).join('')}\n`)
    .join('');
}

function nodeStatus(object: KubeObject): string {
  const node = Node.parse(object);
  const status = condition(node, 'Ready')?.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${status},SchedulingDisabled` : status;
}

function roles({ metadata }: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const found = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return found.map((label) => label.slice(prefix.length)).join(',') || '<none>';
}

function podStatus(object: KubeObject): string {
  const pod = Pod.parse(object);
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  if (pod.status?.phase !== 'Pending') return pod.status?.phase ?? 'Unknown';
  return pod.spec.nodeName === undefined ? 'Pending' : 'ContainerCreating';
}

function ready(pod: Pod): boolean {
  return condition({ status: pod.status }, 'Ready')?.status === 'True';
}

function containers(object: KubeObject): number {
  return Pod.parse(object).spec.containers.length;
}

function ports({ spec }: Service): string {
  const each = spec.ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
  return each.join(',') || '<none>';
}

function pairs(map: Record<string, string> | undefined): string {
  const each = Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`);
  return each.join(',') || '<none>';
}

/** As kubectl shortens durations. */
function age(ms: number): string {
  if (!Number.isFinite(ms)) return '<unknown>';
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return minutes < 10 && seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
