/** What the shipped NetworkPolicies and Pod Security levels let through, in the model of K3s, and what hangs on each. */
import type { Servers } from '../local/k3s/servers';
import { apply, CERTIFIED, delivered, lines, startServer } from './delivered';

let servers: Servers;
beforeEach(async () => {
  servers = await startServer();
});
afterEach(() => servers.close());

const withoutPolicy = (namespace: string, name: string) =>
  servers.kubectl(`delete networkpolicy ${name} -n ${namespace}`);

const ECHO = { protocol: 'TCP' } as const;
const probe = (port: number) =>
  servers.lab.clock.until(servers.lab.network.probe('nlb', servers.machines[0]!.address, port, ECHO, 5000));

/** The status of the page, as the load balancer asks for it. */
async function page(host = 'demo'): Promise<number | string> {
  const { network, clock } = servers.lab;
  const { address } = servers.machines[0]!;
  const listener = await network.balance(9000, () => ({ address, port: 80, proxyProtocol: true }));
  const answer = await clock.until(network.request(9000, { headers: { host } }));
  await listener.close();
  return answer.ok ? answer.response.status : answer.reason;
}

const issuer = () =>
  servers.kubectl('get clusterissuer letsencrypt-staging -o jsonpath={.status.conditions[0].status}');
const certificate = () =>
  servers.kubectl(
    'get certificate nginx-demo-tls -n nginx-demo -o jsonpath={.status.conditions[?(@.type=="Ready")].status}',
  );

describe('with everything that is shipped', () => {
  beforeEach(async () => {
    await apply(servers, delivered(CERTIFIED));
    await servers.lab.clock.advance(60_000);
  });

  it('the health check, the page and the certificate are there', async () => {
    expect(await probe(32000)).toMatchObject({ ok: true });
    expect(await page(CERTIFIED.domain)).toBe(200);
    expect([await issuer(), await certificate()]).toEqual(['True', 'True']);
  });

  it('every pod of a namespace of ours passes its level, which is restricted', async () => {
    const enforced = await lines(servers, 'get namespace -l pod-security.kubernetes.io/enforce=restricted -o name');
    expect(enforced).toEqual(['namespace/cert-manager', 'namespace/nginx-demo', 'namespace/tcpecho']);
    for (const kind of ['deployment', 'daemonset']) {
      expect(await servers.kubectl(`get ${kind} -A -o json`)).not.toContain('FailedCreate');
    }
  });

  it('a page that Traefik may not ask is a bad gateway', async () => {
    await withoutPolicy('nginx-demo', 'nginx-demo');
    // The node has to learn of it.
    await servers.lab.clock.advance(5_000);
    expect(await page(CERTIFIED.domain)).toBe(502);
  });
});

describe('without a policy that allows', () => {
  /** Applies everything; then the policy goes before cert-manager has done anything. */
  const begin = async (namespace: string, name: string) => {
    await expect(apply(servers, delivered(CERTIFIED), 1)).rejects.toThrow('exits 75');
    await withoutPolicy(namespace, name);
    await servers.lab.clock.advance(90_000);
  };
  /** The file without this policy, or the next run would bring it back. */
  const rest = (name: string) =>
    delivered(CERTIFIED)
      .split('---\n')
      .filter((document) => !(document.includes('"NetworkPolicy"') && document.includes(`"name": "${name}"`)))
      .join('---\n');

  it('the load balancer, the health check fails', async () => {
    const closed = delivered({}).replace('"cidr": "10.20.0.0/16"', '"cidr": "10.42.0.0/16"');
    await apply(servers, closed);
    await servers.lab.clock.advance(30_000);
    expect(await probe(32000)).toMatchObject({ ok: false });
  });

  it('the API server at the webhook, issuers are refused', async () => {
    await begin('cert-manager', 'webhook');
    await expect(apply(servers, rest('webhook'), 3)).rejects.toThrow(
      /failed to call webhook: .*context deadline exceeded/,
    );
  });

  it('Let’s Encrypt, no account is registered', async () => {
    await begin('cert-manager', 'acme');
    await apply(servers, rest('acme'));
    await servers.lab.clock.advance(60_000);
    expect(await issuer()).toBe('False');
  });

  it('the API server, cert-manager does nothing', async () => {
    await begin('cert-manager', 'kubernetes-api');
    await apply(servers, rest('kubernetes-api'));
    await servers.lab.clock.advance(60_000);
    expect(await issuer()).toBe('');
  });

  it('Traefik at the solver, no certificate is issued', async () => {
    await begin('nginx-demo', 'acme-http01-solver');
    await apply(servers, rest('acme-http01-solver'));
    await servers.lab.clock.advance(120_000);
    expect([await issuer(), await certificate()]).toEqual(['True', 'False']);
  });
});
