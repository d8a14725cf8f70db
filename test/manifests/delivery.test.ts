/** What ApplyManifests makes of a configuration, and of another one after it, in the model of K3s. */
import type { Servers } from '../local/k3s/servers';
import type { HostKind } from '../nodes/machine';
import * as model from './delivered';
import { CERTIFIED, delivered } from './delivered';

let servers: Servers;
afterEach(() => servers.close());

async function start(kind?: HostKind): Promise<void> {
  servers = await model.startServer(kind);
}
const apply = (text: string, attempts?: number) => model.apply(servers, text, attempts);
const lines = (args: string) => model.lines(servers, args);
/** Of what only an application changes: nothing keeps a status in it. */
const versions = async () => {
  const kinds = ['configmap', 'networkpolicy', 'service', 'ingress', 'helmchartconfig'];
  const path = '{.items[*].metadata.resourceVersion}';
  const found: string[] = [];
  for (const kind of kinds) found.push(await servers.kubectl(`get ${kind} -A -o jsonpath=${path}`));
  return found;
};
const noted = () =>
  servers.kubectl(
    'get configmap k3s-ha-aws-manifests -n kube-system -o jsonpath={.metadata.annotations.k3s-ha-aws/to-delete}',
  );

describe.each(['bash', 'twin'] as const)('on the %s host', (kind) => {
  it('what went from the manifests is deleted, and applying again changes nothing', async () => {
    await start(kind);
    expect(await apply(delivered({}))).toEqual({ applied: 17, pruned: 0 });
    const before = await versions();
    expect(await apply(delivered({}))).toEqual({ applied: 17, pruned: 0 });
    expect(await versions()).toEqual(before);
    expect(await apply(delivered({ demo: { enabled: false } }))).toEqual({ applied: 8, pruned: 8 });
    expect(await lines('get ingress -A -o name')).toEqual([]);
    expect(await lines('get namespace nginx-demo -o name')).toEqual(['namespace/nginx-demo']);
    expect(await noted()).toBe('');
  });
});

describe('pruning', () => {
  beforeEach(() => start());

  it('leaves what K3s packages, what people made and what controllers derived', async () => {
    await apply(delivered({}));
    await servers.kubectl(
      'apply --server-side --filename=-',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'mine', namespace: 'nginx-demo' },
        data: {},
      }),
    );
    const packaged = await lines('get deploy -n kube-system -o name');
    await apply(delivered({ demo: { enabled: false } }));
    expect(await lines('get configmap -n nginx-demo -o name')).toEqual(['configmap/mine']);
    expect(await lines('get deploy -n kube-system -o name')).toEqual(packaged);
    expect(packaged).toContain('deployment.apps/coredns');
  });

  it('leaves what somebody took over', async () => {
    await apply(delivered({}));
    await servers.kubectl('label service nginx-demo -n nginx-demo k3s-ha-aws/manifests-');
    expect(await apply(delivered({ demo: { enabled: false } }))).toMatchObject({ pruned: 7 });
    expect(await lines('get service -n nginx-demo -o name')).toEqual(['service/nginx-demo']);
  });

  it('waits until everything was applied, and is finished by a later run', async () => {
    await apply(delivered({}));
    // A kind that nobody defines: the run is never done.
    const unfinished = `${delivered({ demo: { enabled: false } })}---\n{"apiVersion":"example.org/v1","kind":"Widget","metadata":{"name":"w"}}\n`;
    await expect(apply(unfinished, 2)).rejects.toThrow(/exits 75: .*no matches for kind "Widget"/s);
    expect(await lines('get ingress -A -o name')).toEqual(['ingress.networking.k8s.io/nginx-demo']);
    expect(await noted()).toContain('Ingress.networking.k8s.io nginx-demo nginx-demo');
    expect(await apply(delivered({ demo: { enabled: false } }))).toMatchObject({ pruned: 8 });
    expect(await lines('get ingress -A -o name')).toEqual([]);
  });

  it('of cert-manager takes its workloads and leaves its definitions and everybody’s certificates', async () => {
    await apply(delivered(CERTIFIED));
    const certificate = {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'mine', namespace: 'default' },
      spec: {
        dnsNames: ['a.k3s-ha.org'],
        secretName: 'mine',
        issuerRef: { name: 'letsencrypt-staging', kind: 'ClusterIssuer' },
      },
    };
    await servers.kubectl('apply --server-side --filename=-', JSON.stringify(certificate));
    await apply(delivered({}));
    await servers.lab.clock.advance(60_000);
    expect(await lines('get deploy -n cert-manager -o name')).toEqual([]);
    expect(await lines('get clusterissuer -o name')).toEqual([]);
    expect(await lines('get certificate -n default -o name')).toEqual(['certificate.cert-manager.io/mine']);
  });
});

describe('a configuration that changes', () => {
  beforeEach(() => start());

  it('takes back what it does not say any more', async () => {
    await apply(delivered(CERTIFIED));
    const ingress = 'get ingress nginx-demo -n nginx-demo -o jsonpath=';
    expect(await servers.kubectl(`${ingress}{.spec.tls[0].hosts[0]}`)).toBe('demo.k3s-ha.org');
    await apply(delivered({}));
    expect(await servers.kubectl(`${ingress}{.spec}`)).not.toContain('demo.k3s-ha.org');
    expect(await servers.kubectl(`${ingress}{.metadata.annotations}`)).not.toContain('cert-manager');
  });
});

describe('cert-manager', () => {
  beforeEach(() => start());

  it('is waited for by its issuers only: everything else is there after the first run', async () => {
    await expect(apply(delivered(CERTIFIED), 1)).rejects.toThrow('exits 75');
    expect(await lines('get ds -A -o name')).toContain('daemonset.apps/tcpecho');
    expect(await lines('get ingress -A -o name')).toEqual(['ingress.networking.k8s.io/nginx-demo']);
    await apply(delivered(CERTIFIED));
    expect(await lines('get clusterissuer -o name')).toHaveLength(2);
  });

  it('issues through every NetworkPolicy that is shipped', async () => {
    await apply(delivered(CERTIFIED));
    const ready =
      'get certificate nginx-demo-tls -n nginx-demo -o jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    await servers.lab.until('the certificate is there', async () => (await servers.kubectl(ready)) === 'True');
  });
});
