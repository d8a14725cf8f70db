import { Lab, type TestMachine } from './fixture';

let lab: Lab;
let machines: TestMachine[];
beforeEach(async () => {
  lab = new Lab();
  machines = await lab.servers(3);
});
afterEach(() => lab.close());

const kubectl = (...args: string[]) => machines[0]!.kubectl(...args);

function apply(...objects: object[]) {
  machines[0]!.files.write('/tmp/objects.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  return kubectl('apply', '--server-side', '--force-conflicts', '--filename=/tmp/objects.json');
}

const namespace = (labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'web', labels },
});

const SAFE = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

const deployment = (securityContext?: object, extra: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'web' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
        containers: [
          { name: 'nginx', image: 'nginx:1', ports: [{ name: 'http', containerPort: 8080 }], securityContext },
        ],
        ...extra,
      },
    },
  },
});

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'web' } };
const routed = [
  { ...service, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] } },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'web' },
    spec: {
      ingressClassName: 'traefik',
      rules: [
        {
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
          },
        },
      ],
    },
  },
];

const running = () =>
  lab.k3s
    .state()
    .pods.filter(({ namespace, ready }) => ready && namespace === 'web')
    .map(({ node }) => node);

async function request(machine: TestMachine) {
  const listener = await lab.network.balance(9000, () => ({
    address: machine.address,
    port: 80,
    proxyProtocol: false,
  }));
  const answer = await lab.clock.until(lab.network.request(9000, { headers: { host: 'web.example.org' } }));
  await listener.close();
  return answer.ok ? answer.response.status : answer.reason;
}

const policy = (spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'web' },
  spec,
});

describe('Pod Security', () => {
  it('keeps pods that violate the level of their namespace from being created, and says why', async () => {
    await apply(namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' }), deployment());
    await lab.clock.advance(30_000);
    expect(running()).toEqual([]);
    const { stdout } = await kubectl(
      'get',
      'deploy',
      'web',
      '-n',
      'web',
      '-o',
      'jsonpath={.status.conditions[0].message}',
    );
    expect(stdout).toMatch(/^pods "web-\S+" is forbidden: violates PodSecurity "restricted:latest": /);
    expect(stdout).toContain(
      'allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
  });

  it('lets them run once they comply', async () => {
    await apply(namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' }), deployment(SAFE));
    await lab.clock.advance(30_000);
    expect(running()).toHaveLength(3);
  });

  it('refuses a pod of its own at once, as kubectl prints it', async () => {
    await apply(namespace({ 'pod-security.kubernetes.io/enforce': 'baseline' }));
    const spec = { hostNetwork: true, containers: [{ name: 'a', image: 'a:1' }] };
    const { exitCode, stderr } = await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'web' },
      spec,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'Error from server (Forbidden): pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)\n',
    );
  });

  it('warns about workloads where it is asked to', async () => {
    await apply(namespace({ 'pod-security.kubernetes.io/warn': 'restricted' }));
    const { exitCode, stderr } = await apply(deployment());
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/,
    );
  });
});

describe('a NetworkPolicy', () => {
  beforeEach(async () => {
    await apply(namespace(), deployment(), ...routed);
    await lab.clock.advance(60_000);
  });

  it.each([
    ['nobody', { podSelector: {} }, 502],
    ['another namespace', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }, 502],
    ['another port', { podSelector: {}, ingress: [{ ports: [{ port: 9090 }] }] }, 502],
    [
      'Traefik, by namespace and labels',
      {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                podSelector: { matchLabels: { 'app.kubernetes.io/name': 'traefik' } },
              },
            ],
            ports: [{ port: 'http' }],
          },
        ],
      },
      200,
    ],
    ['pods of another kind only', { podSelector: { matchLabels: { app: 'other' } } }, 200],
  ])('that lets in %s decides what Traefik gets from the pods', async (_, spec, status) => {
    expect(await request(machines[0]!)).toBe(200);
    expect((await apply(policy(spec))).exitCode).toBe(0);
    await lab.clock.advance(5_000);
    expect(await request(machines[0]!)).toBe(status);
  });

  it('may close the health check by its source, and leaves it open to the VPC', async () => {
    const echo = {
      ...service,
      metadata: { name: 'echo', namespace: 'web' },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: 32100 }] },
    };
    await apply(echo);
    await lab.clock.advance(5_000);
    expect(await machines[0]!.probe(32100)).toEqual({ ok: true });
    const from = (cidr: string) => policy({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr } }] }] });
    await apply(from('10.42.0.0/16'));
    await lab.clock.advance(5_000);
    expect(await machines[0]!.probe(32100)).toEqual({ ok: false, reason: 'refused' });
    await apply(from('10.20.0.0/16'));
    await lab.clock.advance(5_000);
    expect(await machines[0]!.probe(32100)).toEqual({ ok: true });
  });

  it('with an unknown field is refused', async () => {
    const { exitCode, stderr } = await apply(policy({ podSelector: {}, ingres: [] }));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('NetworkPolicy cannot be handled as a NetworkPolicy');
  });
});

describe('a HorizontalPodAutoscaler', () => {
  it('keeps CoreDNS at its minimum, spread over the servers, also after K3s starts again', async () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'coredns', namespace: 'kube-system' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'coredns' },
        minReplicas: 3,
        maxReplicas: 3,
      },
    };
    expect((await apply(autoscaler)).exitCode).toBe(0);
    const dns = () => lab.k3s.state().pods.filter(({ name, ready }) => ready && name.startsWith('coredns'));
    await lab.clock.advance(30_000);
    expect(new Set(dns().map(({ node }) => node)).size).toBe(3);
    await machines[0]!.run('systemctl', 'restart', '--no-block', 'k3s');
    await lab.clock.advance(60_000);
    expect(dns()).toHaveLength(3);
  });
});

describe('a PodDisruptionBudget', () => {
  it('says how many pods may go', async () => {
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'web' },
    };
    const selector = { matchLabels: { app: 'web' } };
    await apply(namespace(), deployment(), { ...budget, spec: { maxUnavailable: 1, selector } });
    await lab.clock.advance(30_000);
    expect((await kubectl('get', 'pdb', '-n', 'web')).stdout).toMatch(/^web +N\/A +1 +1 /m);
    const both = await apply({ ...budget, spec: { maxUnavailable: 1, minAvailable: 1, selector } });
    expect(both.stderr).toContain('minAvailable and maxUnavailable cannot be both set');
  });
});

describe('a kind that the model does not have', () => {
  it('is refused by name, and one that nobody has as K3s does', async () => {
    const limits = await apply({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'a', namespace: 'default' },
      spec: {},
    });
    expect(limits.stderr).toBe('Error from server (BadRequest): the model of K3s has no LimitRange (v1)\n');
    const job = await apply({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: {} });
    expect(job.stderr).toContain('the model of K3s has no Job (batch/v1)');
    const foreign = await apply({ apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'a' } });
    expect(foreign.stderr).toContain('no matches for kind "Thing" in version "example.org/v1"');
  });
});

describe('the node of a replica dies', () => {
  beforeEach(async () => {
    await apply(namespace(), deployment(), ...routed);
    await lab.clock.advance(60_000);
  });

  it('and it moves 30 s after the node was found unreachable, to a node with room for spread', async () => {
    const [first, second, third] = machines;
    expect([...running()].sort()).toEqual(machines.map(({ instanceId }) => instanceId));
    third!.kill();
    const unreachable = await lab.until(
      'its Node is not Ready',
      () => lab.node(third!.instanceId)?.ready === 'Unknown',
    );
    expect(unreachable).toBeGreaterThanOrEqual(36);
    expect(unreachable).toBeLessThanOrEqual(45);
    expect(running()).toHaveLength(2);
    const moved = await lab.until('three run again', () => running().length === 3, 60);
    expect(moved).toBeGreaterThanOrEqual(30);
    expect(moved).toBeLessThanOrEqual(45);
    expect(new Set(running())).toEqual(new Set([first!.instanceId, second!.instanceId]));
  });

  it('and requests through the other nodes fail only until they stop choosing it', async () => {
    const [first, , third] = machines;
    third!.kill();
    let lastFailure = 0;
    const began = lab.clock.now();
    while (lab.clock.now() - began < 90_000) {
      const at = lab.clock.now();
      if ((await request(first!)) !== 200) lastFailure = (at - began) / 1000;
      await lab.clock.advance(1_000);
    }
    // kube-proxy keeps the dead endpoint until its Node is NotReady.
    expect(lastFailure).toBeGreaterThan(0);
    expect(lastFailure).toBeLessThan(46);
  });

  it('and none fail where traffic prefers the own node’s pod', async () => {
    const [first, , third] = machines;
    const annotations = { 'traefik.ingress.kubernetes.io/service.nativelb': 'true' };
    const own = {
      ...service,
      metadata: { ...service.metadata, annotations },
      spec: {
        selector: { app: 'web' },
        trafficDistribution: 'PreferSameNode',
        ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      },
    };
    const traefik = {
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChartConfig',
      metadata: { name: 'traefik', namespace: 'kube-system' },
      spec: {
        valuesContent: 'deployment: {kind: DaemonSet}\nservice: {spec: {trafficDistribution: PreferSameNode}}\n',
      },
    };
    await apply(own, traefik);
    await lab.clock.advance(90_000);
    third!.kill();
    for (let second = 0; second < 60; second++) {
      expect(await request(first!)).toBe(200);
      await lab.clock.advance(1_000);
    }
  });
});
