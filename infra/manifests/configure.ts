import { createHash } from 'node:crypto';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import type { Config } from '../config';
import { ECHO_REPOSITORY, POD_CIDR } from '../defaults';
import { as, type KubernetesObject, label } from './object';

const NAMED = z.looseObject({ name: z.string() });
const WORKLOAD = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
      spec: z.looseObject({
        containers: z.tuple([z.looseObject({ image: z.string(), env: z.array(NAMED).optional() })]),
        volumes: z.array(z.looseObject({ configMap: NAMED.optional() })).optional(),
      }),
    }),
  }),
});
const INGRESS = z.looseObject({ spec: z.looseObject({ rules: z.tuple([z.looseObject({ http: z.unknown() })]) }) });
const POLICY = z.looseObject({
  spec: z.looseObject({
    ingress: z.array(z.looseObject({ from: z.array(z.looseObject({})) })).optional(),
    egress: z.array(z.looseObject({ to: z.array(z.looseObject({})) })).optional(),
  }),
});
const ISSUER = z.looseObject({ spec: z.strictObject({ acme: z.looseObject({ email: z.string() }) }) });
const HELM = z.looseObject({ spec: z.strictObject({ valuesContent: z.string() }) });
const TRUSTING = z.looseObject({ proxyProtocol: z.strictObject({ trustedIPs: z.array(z.string()) }) });
const TRAEFIK = z.looseObject({
  podDisruptionBudget: z.looseObject({ minAvailable: z.int() }),
  ports: z.looseObject({ web: TRUSTING, websecure: TRUSTING }),
});

/**
 * Sets the configuration's values in a component's objects: by field of a parsed object, never in text.
 * @throws naming an object that has not the field
 */
export function configured(objects: readonly KubernetesObject[], config: Config, echoTag: string): KubernetesObject[] {
  const set = objects.map((object) => withValues(object, config, echoTag));
  return set.map((object) => withConfigHash(object, set));
}

function withValues(object: KubernetesObject, config: Config, echoTag: string): KubernetesObject {
  switch (`${object.kind}/${object.metadata.name}`) {
    case 'DaemonSet/tcpecho':
      return withContainer(object, (container) => ({
        ...container,
        image: config.tcpechoImage ?? `${ECHO_REPOSITORY}:${echoTag}`,
      }));
    case 'Deployment/nginx-demo':
      return withNote(withSpec(object, { replicas: config.demo.replicas }), noteOf(config));
    case 'Ingress/nginx-demo':
      return config.domain === undefined ? object : withHttps(object, config.domain, config.acme.server);
    case 'HelmChartConfig/traefik':
      return withTraefik(object, config);
    case 'HorizontalPodAutoscaler/coredns':
      return withSpec(object, { maxReplicas: config.servers });
    case 'NetworkPolicy/tcpecho':
      return withSpec(object, { ingress: [withPeer(object, 'ingress', 'from', config.network.cidr)] });
    case 'NetworkPolicy/kubernetes-api':
      return withSpec(object, { egress: [withPeer(object, 'egress', 'to', config.network.cidr)] });
    case 'ClusterIssuer/letsencrypt-staging':
    case 'ClusterIssuer/letsencrypt-production':
      return withEmail(object, config.acme.email);
    default:
      return object;
  }
}

function withSpec(object: KubernetesObject, values: Record<string, unknown>): KubernetesObject {
  const { spec } = as(z.looseObject({ spec: z.looseObject({}) }), object, label(object));
  return { ...object, spec: { ...spec, ...values } };
}

type Container = z.output<typeof WORKLOAD>['spec']['template']['spec']['containers'][0];

function withContainer(object: KubernetesObject, change: (container: Container) => Container): KubernetesObject {
  const { spec } = as(WORKLOAD, object, label(object));
  const { template } = spec;
  const containers = [change(template.spec.containers[0])];
  return { ...object, spec: { ...spec, template: { ...template, spec: { ...template.spec, containers } } } };
}

function withNote(object: KubernetesObject, note: string): KubernetesObject {
  return withContainer(object, (container) => {
    const others = (container.env ?? []).filter(({ name }) => name !== 'DEMO_NOTE');
    return { ...container, env: [...others, { name: 'DEMO_NOTE', value: note }] };
  });
}

/** How the demo is served, for whoever looks at its page. */
function noteOf({ domain, acme }: Config): string {
  if (domain === undefined) return 'Served over plain HTTP: no domain is configured.';
  return acme.server === 'production'
    ? `Served for ${domain}, over HTTPS with a certificate from Let's Encrypt.`
    : `Served for ${domain}. Its certificate is from Let's Encrypt's staging environment, which browsers do not trust.`;
}

function withHttps(object: KubernetesObject, host: string, server: Config['acme']['server']): KubernetesObject {
  const { spec } = as(INGRESS, object, label(object));
  const annotations = { 'cert-manager.io/cluster-issuer': `letsencrypt-${server}` };
  const tls = [{ hosts: [host], secretName: 'nginx-demo-tls' }];
  return {
    ...object,
    metadata: { ...object.metadata, annotations },
    spec: { ...spec, tls, rules: [{ host, ...spec.rules[0] }] },
  };
}

function withEmail(object: KubernetesObject, email: string | undefined): KubernetesObject {
  if (email === undefined) throw new Error(`${label(object)} needs an e-mail address`);
  const { spec } = as(ISSUER, object, label(object));
  return { ...object, spec: { acme: { ...spec.acme, email } } };
}

/** A policy's only rule, with one network in place of its peers. */
function withPeer(object: KubernetesObject, direction: 'ingress' | 'egress', peers: 'from' | 'to', cidr: string) {
  const [rule, ...others] = as(POLICY, object, label(object)).spec[direction] ?? [];
  if (!rule || others.length > 0) throw new Error(`${label(object)} must have one rule of ${direction}`);
  return { ...rule, [peers]: [{ ipBlock: { cidr } }] };
}

/** Every server but one keeps its Traefik, which believes the PROXY header of the load balancer (VPC) and of ServiceLB (pods). */
function withTraefik(object: KubernetesObject, config: Config): KubernetesObject {
  const { spec } = as(HELM, object, label(object));
  const values = as(TRAEFIK, parse(spec.valuesContent), `valuesContent of ${label(object)}`);
  const proxyProtocol = { trustedIPs: [config.network.cidr, POD_CIDR] };
  const configuredValues = {
    ...values,
    podDisruptionBudget: { ...values.podDisruptionBudget, minAvailable: config.servers - 1 },
    ports: {
      ...values.ports,
      web: { ...values.ports.web, proxyProtocol },
      websecure: { ...values.ports.websecure, proxyProtocol },
    },
  };
  const valuesContent = stringify(configuredValues, { aliasDuplicateObjects: false });
  return { ...object, spec: { valuesContent } };
}

/** Files mounted from a ConfigMap by `subPath` never change under a running pod: a new content must mean new pods. */
function withConfigHash(object: KubernetesObject, objects: readonly KubernetesObject[]): KubernetesObject {
  if (object.kind !== 'Deployment' && object.kind !== 'DaemonSet') return object;
  const { spec } = as(WORKLOAD, object, label(object));
  const { template } = spec;
  const names = (template.spec.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []);
  if (names.length === 0) return object;
  const contents = names.map((name) => {
    const found = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
    if (!found) throw new Error(`${label(object)} mounts the ConfigMap ${name}, which is not there`);
    return found.data;
  });
  const hash = createHash('sha256').update(JSON.stringify(contents)).digest('hex').slice(0, 16);
  const annotations = { ...template.metadata.annotations, 'k3s-ha-aws/config': hash };
  return { ...object, spec: { ...spec, template: { ...template, metadata: { ...template.metadata, annotations } } } };
}
