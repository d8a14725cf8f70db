import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { parseConfig } from '../../infra/config';
import { type KubernetesObject, renderManifests } from '../../infra/manifests';

const ROOT = join(__dirname, '../..');
const render = (settings: object = {}) => renderManifests(ROOT, parseConfig(settings));

const find = (objects: KubernetesObject[], kind: string, name: string): KubernetesObject => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

const CONTAINER = z.looseObject({
  image: z.string(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).optional(),
  readinessProbe: z.looseObject({ periodSeconds: z.number(), failureThreshold: z.number() }),
  resources: z.object({ limits: z.record(z.string(), z.string()) }),
  securityContext: z.unknown(),
});
const POD = z.looseObject({
  securityContext: z.looseObject({ runAsNonRoot: z.boolean() }),
  automountServiceAccountToken: z.boolean(),
  containers: z.array(CONTAINER),
});
const WORKLOAD = z.object({
  spec: z.object({
    replicas: z.number().optional(),
    template: z.object({
      metadata: z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()).optional(),
      }),
      spec: POD,
    }),
  }),
});
const workload = (object: KubernetesObject) => WORKLOAD.parse(object).spec;
const podOf = (object: KubernetesObject) => workload(object).template.spec;

const noteOn = (objects: KubernetesObject[]) => {
  const env = podOf(find(objects, 'Deployment', 'nginx-demo')).containers[0]?.env;
  return env?.find(({ name }) => name === 'DEMO_NOTE')?.value;
};

const traefikValues = (objects: KubernetesObject[]): unknown =>
  parse(
    z.object({ spec: z.object({ valuesContent: z.string() }) }).parse(find(objects, 'HelmChartConfig', 'traefik')).spec
      .valuesContent,
  );

/** Everything that is shipped. */
const COMPLETE = { domain: 'demo.example.org', acme: { email: 'ops@example.org' } };

describe('the objects', () => {
  const objects = render(COMPLETE);

  it('are applied in an order in which each finds what it needs, and traffic waits for nothing else', () => {
    const all = render(COMPLETE).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
    const place = (object: string) => {
      expect(all).toContain(object);
      return all.indexOf(object);
    };
    const inOrder = (first: string, second: string) => expect(place(first)).toBeLessThan(place(second));
    inOrder('Namespace  tcpecho', 'NetworkPolicy tcpecho tcpecho');
    inOrder('NetworkPolicy tcpecho tcpecho', 'DaemonSet tcpecho tcpecho');
    inOrder('ConfigMap nginx-demo nginx-demo', 'Deployment nginx-demo nginx-demo');
    inOrder('DaemonSet tcpecho tcpecho', 'HelmChartConfig kube-system traefik');
    inOrder('HelmChartConfig kube-system traefik', 'Ingress nginx-demo nginx-demo');
    inOrder('Ingress nginx-demo nginx-demo', 'HelmChart kube-system cert-manager');
    inOrder('NetworkPolicy cert-manager default-deny', 'HelmChart kube-system cert-manager');
    inOrder('HelmChart kube-system cert-manager', 'ClusterIssuer  letsencrypt-staging');
  });

  it('live in namespaces that are created, or that K3s brings', () => {
    const created = objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
    for (const { kind, metadata } of objects) {
      if (kind !== 'Namespace' && kind !== 'ClusterIssuer')
        expect([...created, 'kube-system']).toContain(metadata.namespace);
    }
  });

  it('have each its own name', () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('can be recognised as ours', () => {
    for (const { metadata } of objects) expect(metadata.labels?.['app.kubernetes.io/part-of']).toBe('k3s-ha-aws');
  });

  it('send each service’s traffic to pods that exist', () => {
    const labels = objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
      .map((object) => [object.metadata.namespace, workload(object).template.metadata.labels] as const);
    for (const service of objects.filter(({ kind }) => kind === 'Service')) {
      const { selector } = z
        .object({ spec: z.object({ selector: z.record(z.string(), z.string()) }) })
        .parse(service).spec;
      const selected = labels.filter(
        ([namespace, own]) =>
          namespace === service.metadata.namespace &&
          Object.entries(selector).every(([key, value]) => own[key] === value),
      );
      expect(selected).toHaveLength(1);
    }
  });

  it.each(['DaemonSet tcpecho', 'Deployment nginx-demo'])(
    '%s runs as nobody, with nothing it could change',
    (which) => {
      const [kind = '', name = ''] = which.split(' ');
      const pod = podOf(find(objects, kind, name));
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(container.resources.limits)).toEqual(['cpu', 'memory']);
      }
    },
  );

  it('satisfy the restricted Pod Security standard, which their namespaces enforce', () => {
    for (const { metadata } of objects.filter(({ kind }) => kind === 'Namespace')) {
      expect(metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    }
  });
});

describe('the echo service', () => {
  const objects = render();

  it('answers on NodePort 32000 for its own node only', () => {
    expect(find(objects, 'Service', 'tcpecho').spec).toMatchObject({
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [{ port: 2000, nodePort: 32000 }],
    });
  });

  it('runs on every node, whatever its taints, ahead of other pods', () => {
    expect(podOf(find(objects, 'DaemonSet', 'tcpecho'))).toMatchObject({
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
    });
  });

  it('is ready, or not, within seconds', () => {
    const [container] = podOf(find(objects, 'DaemonSet', 'tcpecho')).containers;
    expect(container!.readinessProbe.periodSeconds * container!.readinessProbe.failureThreshold).toBeLessThanOrEqual(5);
  });

  it('takes the configured image', () => {
    const image = 'registry.example.org/tcpecho:1.2.3';
    expect(podOf(find(render({ tcpechoImage: image }), 'DaemonSet', 'tcpecho')).containers[0]?.image).toBe(image);
  });
});

describe('Traefik', () => {
  it('believes the PROXY header of the VPC and of pods, and of no one else', () => {
    const trusting = { proxyProtocol: { trustedIPs: ['172.20.0.0/20', '10.42.0.0/16'] } };
    expect(traefikValues(render({ network: { cidr: '172.20.0.0/20' } }))).toMatchObject({
      ports: { web: trusting, websecure: trusting },
    });
  });

  it('runs once on each server, and a server’s traffic stays on it', () => {
    expect(traefikValues(render({ servers: 5 }))).toMatchObject({
      deployment: { kind: 'DaemonSet' },
      podDisruptionBudget: { enabled: true, minAvailable: 4 },
      service: { spec: { trafficDistribution: 'PreferSameNode' } },
    });
  });
});

describe('CoreDNS', () => {
  it.each([3, 5])('has three replicas, and at most one on each of %i servers', (servers) => {
    const { spec } = find(render({ servers }), 'HorizontalPodAutoscaler', 'coredns');
    expect(spec).toMatchObject({ scaleTargetRef: { name: 'coredns' }, minReplicas: 3, maxReplicas: servers });
  });
});

describe('cert-manager', () => {
  const certified = (objects: KubernetesObject[]) =>
    objects.filter(({ kind, metadata }) => kind === 'ClusterIssuer' || metadata.namespace === 'cert-manager').length;

  it('comes with an e-mail address, with or without a domain', () => {
    expect(certified(render())).toBe(0);
    expect(certified(render({ acme: { email: 'ops@example.org' } }))).toBe(certified(render(COMPLETE)));
  });

  it('registers the e-mail address with the staging and the production environment', () => {
    const issuers = render(COMPLETE).filter(({ kind }) => kind === 'ClusterIssuer');
    expect(issuers.map(({ spec }) => spec)).toEqual([
      {
        acme: expect.objectContaining({
          email: 'ops@example.org',
          server: expect.stringContaining('acme-staging-v02'),
        }),
      },
      { acme: expect.objectContaining({ email: 'ops@example.org', server: expect.stringContaining('acme-v02') }) },
    ]);
  });
});

describe('the demo', () => {
  it('has three replicas over the zones, or as many as configured', () => {
    expect(workload(find(render(), 'Deployment', 'nginx-demo')).replicas).toBe(3);
    expect(workload(find(render({ demo: { replicas: 6 } }), 'Deployment', 'nginx-demo')).replicas).toBe(6);
    expect(podOf(find(render(), 'Deployment', 'nginx-demo'))).toMatchObject({
      topologySpreadConstraints: [
        { topologyKey: 'topology.kubernetes.io/zone' },
        { topologyKey: 'kubernetes.io/hostname' },
      ],
    });
  });

  it('answers under any name over plain HTTP, and says so', () => {
    const { metadata, spec } = find(render({ acme: { email: 'ops@example.org' } }), 'Ingress', 'nginx-demo');
    expect(spec).toMatchObject({ rules: [expect.not.objectContaining({ host: expect.anything() })] });
    expect(spec).not.toHaveProperty('tls');
    expect(metadata).not.toHaveProperty('annotations');
    expect(noteOn(render())).toBe('Served over plain HTTP: no domain is configured.');
  });

  it.each([
    ['staging', "Served for demo.example.org. Its certificate is from Let's Encrypt's staging environment, which"],
    ['production', "Served for demo.example.org, over HTTPS with a certificate from Let's Encrypt."],
  ])('answers under the domain with a certificate of the %s environment', (server, note) => {
    const own = render({ domain: 'demo.example.org', acme: { email: 'ops@example.org', server } });
    const { metadata, spec } = find(own, 'Ingress', 'nginx-demo');
    expect(metadata.annotations).toEqual({ 'cert-manager.io/cluster-issuer': `letsencrypt-${server}` });
    expect(spec).toMatchObject({
      tls: [{ hosts: ['demo.example.org'], secretName: 'nginx-demo-tls' }],
      rules: [{ host: 'demo.example.org', http: { paths: [{ path: '/' }] } }],
    });
    expect(noteOn(own)).toContain(note);
  });

  it('gets new pods when its files change, and only then', () => {
    const hashOf = (settings: object) => {
      const { annotations } = workload(find(render(settings), 'Deployment', 'nginx-demo')).template.metadata;
      return annotations?.['k3s-ha-aws/config'];
    };
    expect(hashOf({})).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf({ demo: { replicas: 5 } })).toBe(hashOf({}));
  });

  it('knows its node, its zone and its pod for the page', () => {
    const page = JSON.stringify(find(render(), 'ConfigMap', 'nginx-demo').data);
    const [container] = podOf(find(render(), 'Deployment', 'nginx-demo')).containers;
    for (const variable of page.matchAll(/\$\{(\w+)\}/g)) {
      expect(container!.env).toContainEqual(expect.objectContaining({ name: variable[1] }));
    }
  });

  it('can be left out', () => {
    const names = render({ demo: { enabled: false } }).map(({ metadata }) => metadata.name);
    expect(names).not.toContain('nginx-demo');
    expect(names).toContain('tcpecho');
  });
});

it('an image that is not pinned is refused', () => {
  const config = { ...parseConfig({}), tcpechoImage: 'alpine/socat' };
  expect(() => renderManifests(ROOT, config)).toThrow(/DaemonSet tcpecho: image alpine\/socat must be pinned/);
});

it('every file of every component is delivered', () => {
  const written = readdirSync(join(ROOT, 'manifests'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(ROOT, 'manifests', name)).map((file) => join(ROOT, 'manifests', name, file)),
    )
    .flatMap((file) => [...parseAllDocuments(readFileSync(file, 'utf8'))]);
  expect(render(COMPLETE)).toHaveLength(written.length);
});
