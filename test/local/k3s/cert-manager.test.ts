import { X509Certificate } from 'node:crypto';
import { Lab, type TestMachine } from './fixture';

let lab: Lab;
let machine: TestMachine;
beforeEach(async () => {
  lab = new Lab();
  machine = await lab.first();
  await lab.clock.advance(60_000);
});
afterEach(() => lab.close());

const DOMAIN = 'demo.k3s-ha.org';
const STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';
const PRODUCTION = 'https://acme-v02.api.letsencrypt.org/directory';

const chart = {
  apiVersion: 'helm.cattle.io/v1',
  kind: 'HelmChart',
  metadata: { name: 'cert-manager', namespace: 'kube-system' },
  spec: {
    repo: 'https://charts.jetstack.io',
    chart: 'cert-manager',
    version: 'v1.19.1',
    targetNamespace: 'cert-manager',
    createNamespace: true,
    valuesContent: 'crds: { enabled: true }\nreplicaCount: 2\nwebhook: { replicaCount: 3 }\n',
  },
};

const issuer = (name: string, server: string) => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name },
  spec: {
    acme: {
      server,
      email: 'ops@k3s-ha.org',
      privateKeySecretRef: { name },
      solvers: [{ http01: { ingress: { ingressClassName: 'traefik' } } }],
    },
  },
});

const ingress = (host: string, issuerName: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'web', annotations: { 'cert-manager.io/cluster-issuer': issuerName } },
  spec: {
    ingressClassName: 'traefik',
    tls: [{ hosts: [host], secretName: 'web-tls' }],
    rules: [
      {
        host,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      },
    ],
  },
});

const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'web', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

const certificate = (dnsName: string) => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'own', namespace: 'web' },
  spec: { dnsNames: [dnsName], secretName: 'own-tls', issuerRef: { name: 'staging', kind: 'ClusterIssuer' } },
});

function apply(...objects: object[]) {
  machine.files.write('/tmp/objects.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  return machine.kubectl('apply', '--server-side', '--force-conflicts', '--filename=/tmp/objects.json');
}

const read = async (path: string, ...what: string[]) =>
  (await machine.kubectl('get', ...what, '-n', 'web', '-o', `jsonpath=${path}`)).stdout;

const ready = (name = 'web-tls') => read('{.status.conditions[?(@.type=="Ready")].status}', 'certificate', name);

async function installed() {
  await apply(chart);
  await lab.clock.advance(90_000);
}

async function subject(secret: string): Promise<X509Certificate> {
  const data = await read('{.data.tls\\.crt}', 'secret', secret);
  return new X509Certificate(Buffer.from(data, 'base64'));
}

describe('the chart of cert-manager', () => {
  it('brings definitions, namespace and workloads some time after it is asked for', async () => {
    const early = await apply(chart, issuer('staging', STAGING));
    expect(early.stderr).toContain('no matches for kind "ClusterIssuer" in version "cert-manager.io/v1"');
    await lab.clock.advance(90_000);
    const { stdout } = await machine.kubectl('get', 'deploy', '-n', 'cert-manager');
    expect(stdout).toMatch(/^cert-manager +2\/2/m);
    expect(stdout).toMatch(/^cert-manager-cainjector +1\/1/m);
    expect(stdout).toMatch(/^cert-manager-webhook +3\/3/m);
    expect((await apply(issuer('staging', STAGING))).exitCode).toBe(0);
  });

  it('takes no issuer before its webhook runs', async () => {
    await apply(chart);
    await lab.until('the definitions are there', async () => {
      return (await machine.kubectl('get', 'crd', 'clusterissuers.cert-manager.io')).exitCode === 0;
    });
    const { exitCode, stderr } = await apply(issuer('staging', STAGING));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'Error from server (InternalError): Internal error occurred: failed calling webhook "webhook.cert-manager.io"',
    );
  });

  it.each([
    ['is not pinned', { version: undefined }],
    ['is another', { chart: 'prometheus' }],
  ])('fails visibly when it %s', async (_, change) => {
    await apply({ ...chart, spec: { ...chart.spec, ...change } });
    await lab.clock.advance(60_000);
    const { stdout } = await machine.kubectl('get', 'helmchart', 'cert-manager', '-n', 'kube-system', '-o', 'yaml');
    expect(stdout).toContain('the model of Helm has no chart');
    expect((await machine.kubectl('get', 'ns', 'cert-manager')).exitCode).toBe(1);
  });

  it('is uninstalled when it is deleted, its definitions stay', async () => {
    await installed();
    await machine.kubectl('delete', 'helmchart', 'cert-manager', '-n', 'kube-system', '--wait=false');
    await lab.clock.advance(30_000);
    expect((await machine.kubectl('get', 'pods', '-n', 'cert-manager')).stdout).toBe(
      'No resources found in cert-manager namespace.\n',
    );
    expect((await machine.kubectl('get', 'crd', 'certificates.cert-manager.io')).exitCode).toBe(0);
  });
});

describe('an annotated Ingress', () => {
  beforeEach(installed);

  it('gets a certificate that Traefik shows for its host, from the staging or the production authority', async () => {
    await apply(namespace, issuer('staging', STAGING), issuer('production', PRODUCTION), ingress(DOMAIN, 'staging'));
    const seconds = await lab.until('the certificate is Ready', async () => (await ready()) === 'True');
    expect(seconds).toBeGreaterThan(10);
    const staging = await subject('web-tls');
    expect(staging.checkHost(DOMAIN)).toBe(DOMAIN);
    expect(staging.issuer).toContain('(STAGING)');
    await apply(ingress(DOMAIN, 'production'));
    await lab.clock.advance(1_000);
    expect(await ready()).toBe('False');
    await lab.until('it is issued anew', async () => (await ready()) === 'True');
    expect((await subject('web-tls')).issuer).not.toContain('STAGING');
    // Nothing of the challenge is left.
    await lab.clock.advance(5_000);
    expect((await machine.kubectl('get', 'ingress', '-n', 'web', '-o', 'name')).stdout).toBe(
      'ingress.networking.k8s.io/web\n',
    );
  });

  it('waits for its issuer', async () => {
    await apply(namespace, ingress(DOMAIN, 'staging'));
    await lab.clock.advance(60_000);
    expect(await ready()).toBe('False');
    await apply(issuer('staging', STAGING));
    await lab.until('the certificate is Ready', async () => (await ready()) === 'True');
  });

  it('waits while a NetworkPolicy keeps Traefik from the solver, and says so', async () => {
    const denied = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny', namespace: 'web' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    };
    await apply(namespace, denied, issuer('staging', STAGING), ingress(DOMAIN, 'staging'));
    await lab.clock.advance(120_000);
    expect(await ready()).toBe('False');
    expect(await read('{.items[0].status.reason}', 'challenges')).toBe(
      "Waiting for HTTP-01 challenge propagation: wrong status code '502', expected '200'",
    );
    const solver = { 'acme.cert-manager.io/http01-solver': 'true' };
    await apply({
      ...denied,
      metadata: { name: 'solver', namespace: 'web' },
      spec: { podSelector: { matchLabels: solver }, ingress: [{ ports: [{ port: 8089 }] }] },
    });
    await lab.until('the certificate is Ready', async () => (await ready()) === 'True');
  });
});

describe('a certificate that cannot be had', () => {
  beforeEach(async () => {
    await installed();
    await apply(namespace, issuer('staging', STAGING), ingress(DOMAIN, 'staging'));
  });

  it('is for a name that does not lead to the cluster', async () => {
    await apply(certificate('www.elsewhere.org'));
    await lab.clock.advance(60_000);
    expect(await ready('own')).toBe('False');
    const reasons = await read('{range .items[*]}{.spec.dnsName} {.status.reason}{"\\n"}{end}', 'challenges');
    expect(reasons).toMatch(/^www\.elsewhere\.org Waiting for HTTP-01 challenge propagation: .*: no such host$/m);
  });

  it.each([
    ['k3s-demo-1234.elb.eu-west-3.amazonaws.com', 'forbidden by policy'],
    ['demo.internal', 'does not end with a valid public suffix'],
  ])('is for %s', async (name, why) => {
    await apply(certificate(name));
    await lab.clock.advance(60_000);
    expect(await read('{.status.conditions[?(@.type=="Issuing")].message}', 'certificate', 'own')).toContain(why);
    expect(await ready('own')).toBe('False');
  });

  it('is of an issuer whose server does not exist', async () => {
    await apply(issuer('wrong', 'https://acme.k3s-ha.org/directory'));
    await lab.clock.advance(30_000);
    expect((await machine.kubectl('get', 'clusterissuer', 'wrong')).stdout).toMatch(/^wrong +False/m);
    expect((await machine.kubectl('get', 'clusterissuer', 'staging')).stdout).toMatch(/^staging +True/m);
  });
});
