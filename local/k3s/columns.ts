/**
 * The columns in which the API server shows objects to people. For Kubernetes' own kinds they follow
 * pkg/printers/internalversion/printers.go, for custom ones `additionalPrinterColumns` of their definitions.
 */
import { print, valuesAt } from './jsonpath';
import type { Kind } from './kinds';
import { condition, Ingress, type KubeObject, Node, Pod, Service, waitingOf } from './objects';

export interface Column {
  header: string;
  /** Shown with `-o wide` only. */
  wide?: true;
  value(object: KubeObject, now: number): string;
}

/** Name and age where a kind has no columns of its own. */
export function columnsOf({ kind }: Kind): Column[] {
  return [...(TABLES[kind] ?? [NAME, AGE])];
}

const NAME: Column = { header: 'NAME', value: ({ metadata }) => metadata.name };
const AGE: Column = {
  header: 'AGE',
  value: ({ metadata }, now) => age(now - Date.parse(metadata.creationTimestamp ?? '')),
};

/** A column that shows what is at a path. */
const at = (header: string, path: string, missing = '<none>', wide?: true): Column => ({
  header,
  wide,
  value: (object) => valuesAt(object, path).map(print).join(',') || missing,
});
const number = (header: string, path: string): Column => at(header, path, '0');
const wide = (header: string, path: string): Column => at(header, path, '<none>', true);
/** Of a custom resource; empty while it has none. */
const status = (header: string, type = 'Ready'): Column => ({
  header,
  value: (object) => print(valuesAt(object, `.status.conditions[?(@.type=="${type}")].status`)[0] ?? ''),
});

const CONTAINERS: Column[] = [
  wide('CONTAINERS', '.spec.template.spec.containers[*].name'),
  wide('IMAGES', '.spec.template.spec.containers[*].image'),
  { header: 'SELECTOR', wide: true, value: (object) => pairs(valuesAt(object, '.spec.selector.matchLabels')[0]) },
];

const TABLES: Record<string, Column[]> = {
  Node: [
    NAME,
    { header: 'STATUS', value: nodeStatus },
    { header: 'ROLES', value: roles },
    AGE,
    at('VERSION', '.status.nodeInfo.kubeletVersion', ''),
    wide('INTERNAL-IP', '.status.addresses[?(@.type=="InternalIP")].address'),
    wide('EXTERNAL-IP', '.status.addresses[?(@.type=="ExternalIP")].address'),
    wide('OS-IMAGE', '.status.nodeInfo.osImage'),
    wide('CONTAINER-RUNTIME', '.status.nodeInfo.containerRuntimeVersion'),
  ],
  Pod: [
    NAME,
    { header: 'READY', value: (object) => `${ready(object) ? containers(object) : 0}/${containers(object)}` },
    { header: 'STATUS', value: podStatus },
    { header: 'RESTARTS', value: () => '0' },
    AGE,
    wide('IP', '.status.podIP'),
    wide('NODE', '.spec.nodeName'),
    wide('NOMINATED NODE', '.status.nominatedNodeName'),
    wide('READINESS GATES', '.spec.readinessGates[*].conditionType'),
  ],
  Deployment: [
    NAME,
    {
      header: 'READY',
      value: (object) => `${count(object, '.status.readyReplicas')}/${count(object, '.spec.replicas')}`,
    },
    number('UP-TO-DATE', '.status.updatedReplicas'),
    number('AVAILABLE', '.status.availableReplicas'),
    AGE,
    ...CONTAINERS,
  ],
  DaemonSet: [
    NAME,
    number('DESIRED', '.status.desiredNumberScheduled'),
    number('CURRENT', '.status.currentNumberScheduled'),
    number('READY', '.status.numberReady'),
    number('UP-TO-DATE', '.status.updatedNumberScheduled'),
    number('AVAILABLE', '.status.numberAvailable'),
    { header: 'NODE SELECTOR', value: (object) => pairs(valuesAt(object, '.spec.template.spec.nodeSelector')[0]) },
    AGE,
    ...CONTAINERS,
  ],
  ReplicaSet: [
    NAME,
    number('DESIRED', '.spec.replicas'),
    number('CURRENT', '.status.replicas'),
    number('READY', '.status.readyReplicas'),
    AGE,
    ...CONTAINERS,
  ],
  Service: [
    NAME,
    at('TYPE', '.spec.type'),
    at('CLUSTER-IP', '.spec.clusterIP'),
    at('EXTERNAL-IP', '.status.loadBalancer.ingress[*].ip'),
    { header: 'PORT(S)', value: (object) => ports(Service.parse(object)) },
    AGE,
    { header: 'SELECTOR', wide: true, value: (object) => pairs(valuesAt(object, '.spec.selector')[0]) },
  ],
  Ingress: [
    NAME,
    at('CLASS', '.spec.ingressClassName'),
    {
      header: 'HOSTS',
      value: (object) =>
        Ingress.parse(object)
          .spec.rules.map(({ host }) => host ?? '*')
          .join(','),
    },
    at('ADDRESS', '.status.loadBalancer.ingress[*].ip', ''),
    { header: 'PORTS', value: (object) => (Ingress.parse(object).spec.tls ? '80, 443' : '80') },
    AGE,
  ],
  IngressClass: [NAME, at('CONTROLLER', '.spec.controller'), at('PARAMETERS', '.spec.parameters.name'), AGE],
  Namespace: [NAME, { header: 'STATUS', value: () => 'Active' }, AGE],
  ConfigMap: [NAME, { header: 'DATA', value: (object) => String(valuesAt(object, '.data.*').length) }, AGE],
  Secret: [
    NAME,
    at('TYPE', '.type', 'Opaque'),
    { header: 'DATA', value: (object) => String(valuesAt(object, '.data.*').length) },
    AGE,
  ],
  Event: [
    at('LAST SEEN', '.lastTimestamp'),
    at('TYPE', '.type'),
    at('REASON', '.reason'),
    at('OBJECT', '.involvedObject.name'),
    at('MESSAGE', '.message'),
  ],
  Lease: [NAME, at('HOLDER', '.spec.holderIdentity'), AGE],
  EndpointSlice: [
    NAME,
    at('ADDRESSTYPE', '.addressType'),
    at('PORTS', '.ports[*].port', '<unset>'),
    at('ENDPOINTS', '.endpoints[*].addresses[*]', '<unset>'),
    AGE,
  ],
  PodDisruptionBudget: [
    NAME,
    at('MIN AVAILABLE', '.spec.minAvailable', 'N/A'),
    at('MAX UNAVAILABLE', '.spec.maxUnavailable', 'N/A'),
    number('ALLOWED DISRUPTIONS', '.status.disruptionsAllowed'),
    AGE,
  ],
  HorizontalPodAutoscaler: [
    NAME,
    {
      header: 'REFERENCE',
      value: (object) =>
        `${valuesAt(object, '.spec.scaleTargetRef.kind')[0]}/${valuesAt(object, '.spec.scaleTargetRef.name')[0]}`,
    },
    // The model has no metrics.
    { header: 'TARGETS', value: () => '<unknown>' },
    at('MINPODS', '.spec.minReplicas', '1'),
    at('MAXPODS', '.spec.maxReplicas'),
    number('REPLICAS', '.status.currentReplicas'),
    AGE,
  ],
  NetworkPolicy: [
    NAME,
    { header: 'POD-SELECTOR', value: (object) => pairs(valuesAt(object, '.spec.podSelector.matchLabels')[0]) },
    AGE,
  ],
  StorageClass: [
    NAME,
    at('PROVISIONER', '.provisioner'),
    at('RECLAIMPOLICY', '.reclaimPolicy'),
    at('VOLUMEBINDINGMODE', '.volumeBindingMode'),
    AGE,
  ],
  CustomResourceDefinition: [NAME, { header: 'CREATED AT', value: ({ metadata }) => metadata.creationTimestamp ?? '' }],
  HelmChart: [
    NAME,
    at('REPO', '.spec.repo', ''),
    at('CHART', '.spec.chart', ''),
    at('VERSION', '.spec.version', ''),
    at('TARGETNAMESPACE', '.spec.targetNamespace', ''),
    at('BOOTSTRAP', '.spec.bootstrap', ''),
    status('FAILED', 'Failed'),
    at('JOB', '.status.jobName', ''),
  ],
  ClusterIssuer: [NAME, status('READY'), AGE],
  Issuer: [NAME, status('READY'), AGE],
  Certificate: [NAME, status('READY'), at('SECRET', '.spec.secretName', ''), AGE],
  Order: [NAME, at('STATE', '.status.state', ''), AGE],
  Challenge: [NAME, at('STATE', '.status.state', ''), at('DOMAIN', '.spec.dnsName', ''), AGE],
};

function nodeStatus(object: KubeObject): string {
  const node = Node.parse(object);
  const text = condition(node, 'Ready')?.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${text},SchedulingDisabled` : text;
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
  if (pod.spec.nodeName === undefined) return 'Pending';
  return waitingOf(pod)?.reason ?? 'ContainerCreating';
}

function ready(object: KubeObject): boolean {
  return condition({ status: Pod.parse(object).status }, 'Ready')?.status === 'True';
}

function containers(object: KubeObject): number {
  return Pod.parse(object).spec.containers.length;
}

function count(object: KubeObject, path: string): string {
  return print(valuesAt(object, path)[0] ?? 0);
}

function ports({ spec }: Service): string {
  const each = spec.ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
  return each.join(',') || '<none>';
}

function pairs(map: unknown): string {
  if (typeof map !== 'object' || map === null) return '<none>';
  const each = Object.entries(map).map(([key, value]) => `${key}=${value}`);
  return each.join(',') || '<none>';
}

/** As kubectl shortens durations (apimachinery duration.HumanDuration). */
export function age(ms: number): string {
  if (!Number.isFinite(ms)) return '<unknown>';
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return minutes < 10 && seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
