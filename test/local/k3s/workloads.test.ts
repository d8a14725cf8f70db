import { readFileSync } from 'node:fs';
import { Lab, type TestMachine } from './fixture';

const manifest = (name: string) => readFileSync(`${__dirname}/../../../manifests/${name}/${name}.yaml`, 'utf8');

let lab: Lab;
let machines: TestMachine[];
beforeEach(async () => {
  lab = new Lab();
  machines = await lab.servers(3);
});
afterEach(() => lab.close());

async function apply(text: string): Promise<string> {
  machines[0]!.files.write('/tmp/all.yaml', text);
  const result = await machines[0]!.kubectl('apply', '--server-side', '--force-conflicts', '--filename=/tmp/all.yaml');
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  return result.stdout;
}

async function request(machine: TestMachine, port: number, proxyProtocol = false, host = 'demo.example.org') {
  const listener = await lab.network.balance(9000, () => ({ address: machine.address, port, proxyProtocol }));
  const answer = await lab.clock.until(lab.network.request(9000, { headers: { host } }));
  await listener.close();
  return answer;
}

const nodesOf = (prefix: string) =>
  lab.k3s
    .state()
    .pods.filter(({ name, ready }) => ready && name.startsWith(prefix))
    .map(({ node }) => node);

const ids = () => machines.map(({ instanceId }) => instanceId);

describe('the project’s manifests', () => {
  beforeEach(async () => {
    const out = await apply(['tcpecho', 'traefik', 'nginx-demo', 'coredns'].map(manifest).join('\n---\n'));
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        'daemonset.apps/tcpecho serverside-applied',
        'helmchartconfig.helm.cattle.io/traefik serverside-applied',
        'ingress.networking.k8s.io/nginx-demo serverside-applied',
      ]),
    );
    await lab.clock.advance(90_000);
  });

  it('run one echo pod, one Traefik, one page and one name server on each server', () => {
    expect(nodesOf('coredns').sort()).toEqual(ids());
    expect(nodesOf('tcpecho').sort()).toEqual(ids());
    expect(nodesOf('traefik').sort()).toEqual(ids());
    expect(nodesOf('nginx-demo').sort()).toEqual(ids());
  });

  it('answer on every node with a page that names the node and its zone', async () => {
    for (const machine of machines) {
      const answer = await request(machine, 80);
      expect(answer).toMatchObject({ ok: true, response: { status: 200 } });
      const body = answer.ok ? (answer.response.body ?? '') : '';
      const match = /Answered by node <strong>(i-\w+)<\/strong> in zone <strong>(eu-west-3[abc])<\/strong>/.exec(body);
      expect(ids()).toContain(match?.[1]);
    }
  });

  it('change nothing when they are applied again', async () => {
    const [machine] = machines;
    const versions = async () =>
      (await machine!.kubectl('get', 'svc', '-A', '-o', 'jsonpath={.items[*].metadata.resourceVersion}')).stdout;
    const before = await versions();
    await apply(['tcpecho', 'traefik', 'nginx-demo', 'coredns'].map(manifest).join('\n---\n'));
    await lab.clock.advance(60_000);
    expect(await versions()).toBe(before);
    expect(nodesOf('nginx-demo')).toHaveLength(3);
  });

  it('let Traefik want a PROXY header where trusted networks are set', async () => {
    await apply(manifest('traefik').replaceAll('trustedIPs: []', 'trustedIPs: [10.0.0.0/16]'));
    await lab.clock.advance(90_000);
    expect(await request(machines[0]!, 80)).toMatchObject({ ok: false, reason: 'reset' });
    expect(await request(machines[0]!, 80, true)).toMatchObject({ ok: true, response: { status: 200 } });
  });

  it('keep serving from the others when a server dies, and end on them within the minute', async () => {
    const [first, second, third] = machines;
    third!.kill();
    await lab.clock.advance(90_000);
    for (const machine of [first!, second!]) {
      for (let attempt = 0; attempt < 5; attempt++) {
        expect(await request(machine, 80)).toMatchObject({ ok: true, response: { status: 200 } });
      }
    }
    // The third page moved. The third Traefik waits: the dead node, while listed, counts as a host without one.
    expect(nodesOf('nginx-demo')).not.toContain(third!.instanceId);
    expect(nodesOf('nginx-demo')).toHaveLength(3);
    expect(nodesOf('traefik').sort()).toEqual([first!.instanceId, second!.instanceId]);
    expect(nodesOf('tcpecho').sort()).toEqual([first!.instanceId, second!.instanceId]);
    // The third name server has nowhere to go either, and takes one of the two when the dead Node is removed, before the
    // successor joins. Whichever server dies next, one goes on answering.
    expect(nodesOf('coredns').sort()).toEqual([first!.instanceId, second!.instanceId]);
    await first!.kubectl('delete', 'node', third!.instanceId, '--wait=false');
    await lab.join(first!);
    await lab.clock.advance(30_000);
    expect(nodesOf('coredns')).toHaveLength(3);
    expect(new Set(nodesOf('coredns')).size).toBeGreaterThan(1);
  });

  it('keep serving through a node whose K3s is stopped', async () => {
    await machines[2]!.run('systemctl', 'stop', 'k3s');
    await lab.clock.advance(20_000);
    expect(await request(machines[2]!, 80)).toMatchObject({ ok: true, response: { status: 200 } });
    expect(await machines[2]!.probe(32000)).toEqual({ ok: true });
  });

  it('come back on a server that is rebooted', async () => {
    const [, second] = machines;
    await second!.run('systemctl', 'enable', 'k3s');
    second!.kill();
    await lab.clock.advance(5_000);
    second!.boot();
    await lab.until('the echo answers', async () => (await second!.probe(32000)).ok);
    // Another pod forwards port 80: it may start a little later than the echo.
    await lab.until('port 80 answers', async () => (await second!.probe(80)).ok, 30);
    expect(await request(second!, 80)).toMatchObject({ ok: true, response: { status: 200 } });
  });

  it('leave with the namespace they are in', async () => {
    await machines[0]!.kubectl('delete', 'namespace', 'nginx-demo', '--wait=false');
    await lab.clock.advance(10_000);
    expect(nodesOf('nginx-demo')).toEqual([]);
    expect(await request(machines[0]!, 80)).toMatchObject({ ok: true, response: { status: 404 } });
  });
});

describe('the packaged Traefik', () => {
  it('answers 404 without a route, on every node through ServiceLB', async () => {
    await lab.clock.advance(60_000);
    for (const machine of machines) {
      expect(await request(machine, 80)).toMatchObject({ ok: true, response: { status: 404 } });
      expect(await machine.probe(443)).toEqual({ ok: true });
    }
  });

  it('is refused definitions that the chart has not installed yet', async () => {
    const fresh = new Lab(2);
    const machine = fresh.machine();
    machine.configure({ 'cluster-init': true });
    machine.files.write(
      '/tmp/option.yaml',
      'apiVersion: traefik.io/v1alpha1\nkind: TLSOption\nmetadata: { name: default, namespace: default }\n',
    );
    await machine.start();
    await fresh.until('the API answers', async () => (await machine.state()) === 'active');
    const early = await machine.kubectl('apply', '--server-side', '-f', '/tmp/option.yaml');
    expect(early.exitCode).toBe(1);
    expect(early.stderr).toContain('no matches for kind "TLSOption" in version "traefik.io/v1alpha1"');
    await fresh.clock.advance(120_000);
    expect((await machine.kubectl('apply', '--server-side', '-f', '/tmp/option.yaml')).exitCode).toBe(0);
    fresh.close();
  });
});

describe('a Service with externalTrafficPolicy: Cluster', () => {
  it('listens on every node while any pod is ready', async () => {
    await apply(
      manifest('tcpecho')
        .replace('kind: DaemonSet', 'kind: Deployment')
        .replaceAll('externalTrafficPolicy: Local', 'externalTrafficPolicy: Cluster'),
    );
    await lab.clock.advance(30_000);
    expect(nodesOf('tcpecho')).toHaveLength(1);
    for (const machine of machines) expect(await machine.probe(32000)).toEqual({ ok: true });
  });

  it('with Local, listens only beside its pod', async () => {
    await apply(manifest('tcpecho').replace('kind: DaemonSet', 'kind: Deployment'));
    await lab.clock.advance(30_000);
    const [node] = nodesOf('tcpecho');
    for (const machine of machines) {
      expect((await machine.probe(32000)).ok).toBe(machine.instanceId === node);
    }
  });
});

describe('a cordoned node', () => {
  it('gets no new pods', async () => {
    await machines[1]!.kubectl('cordon', machines[1]!.instanceId);
    await apply(manifest('nginx-demo'));
    await lab.clock.advance(60_000);
    expect(nodesOf('nginx-demo')).not.toContain(machines[1]!.instanceId);
    const { stdout } = await machines[0]!.kubectl('get', 'nodes');
    expect(stdout).toMatch(/Ready,SchedulingDisabled/);
  });
});
