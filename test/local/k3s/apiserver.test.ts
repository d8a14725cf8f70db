import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { VirtualClock } from '../../../local/clock';
import { createSocketNetwork, type SocketNetwork } from '../../../local/network-sockets';
import { Lab, type TestMachine } from './fixture';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

let network: SocketNetwork;
let lab: Lab;
let machine: TestMachine;
beforeAll(async () => {
  const clock = new VirtualClock();
  network = await createSocketNetwork({ clock });
  lab = new Lab(1, clock, network);
  machine = await lab.first();
  await lab.clock.advance(90_000);
});
afterAll(async () => {
  lab.close();
  await network.close();
});

const Kubeconfig = z.object({
  clusters: z.tuple([z.looseObject({ cluster: z.looseObject({ 'certificate-authority-data': z.string() }) })]),
  users: z.tuple([
    z.looseObject({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) }),
  ]),
});

function credentials(): Pick<RequestOptions, 'ca' | 'cert' | 'key'> {
  const { clusters, users } = Kubeconfig.parse(parse(lab.k3s.kubeconfig(machine.instanceId) ?? ''));
  const decoded = (text: string) => Buffer.from(text, 'base64').toString('utf8');
  return {
    ca: decoded(clusters[0].cluster['certificate-authority-data']),
    cert: decoded(users[0].user['client-certificate-data']),
    key: decoded(users[0].user['client-key-data']),
  };
}

interface Answer {
  status: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it with matchers.
  body: any;
}

function ask(path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: machine.address, port: 6443, path, agent: false, ...credentials(), ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const json = response.headers['content-type'] === 'application/json';
          resolve({ status: response.statusCode, body: json ? JSON.parse(text) : text });
        });
      },
    );
    call.on('error', reject).end();
  });
}

const table = (path: string) => ask(path, { headers: { accept: TABLE } });

describe('who may ask', () => {
  it('is nobody without a certificate, not even whether it is ready', async () => {
    const stranger = { cert: undefined, key: undefined };
    for (const path of ['/readyz', '/api', '/api/v1/nodes', '/version']) {
      expect(await ask(path, stranger)).toMatchObject({
        status: 401,
        body: { kind: 'Status', reason: 'Unauthorized' },
      });
    }
    expect(await ask('/ping', stranger)).toEqual({ status: 200, body: 'pong' });
  });

  it('is nobody with a certificate of another authority', async () => {
    const other = new Lab(2);
    const { users } = Kubeconfig.parse(parse(other.k3s.kubeconfig((await other.first()).instanceId) ?? ''));
    other.close();
    const cert = Buffer.from(users[0].user['client-certificate-data'], 'base64').toString('utf8');
    const key = Buffer.from(users[0].user['client-key-data'], 'base64').toString('utf8');
    expect((await ask('/api', { cert, key })).status).toBe(401);
  });

  it('is the administrator of the kubeconfig, whose server is verified by its authority', async () => {
    expect(await ask('/readyz')).toEqual({ status: 200, body: 'ok' });
    expect(await ask('/livez')).toEqual({ status: 200, body: 'ok' });
    expect((await ask('/version')).body).toMatchObject({ gitVersion: 'v1.35.1+k3s1', minor: '35' });
  });
});

describe('discovery', () => {
  it('names groups, versions and kinds, which can only be read', async () => {
    expect((await ask('/api')).body).toEqual({ kind: 'APIVersions', versions: ['v1'] });
    const { body } = await ask('/apis');
    expect(body.groups).toContainEqual(expect.objectContaining({ name: 'apps' }));
    const core = await ask('/api/v1');
    expect(core.body.resources).toContainEqual({
      name: 'nodes',
      singularName: 'node',
      namespaced: false,
      kind: 'Node',
      verbs: ['get', 'list', 'watch'],
      shortNames: ['no'],
    });
    expect((await ask('/apis/networking.k8s.io/v1')).body.resources).toContainEqual(
      expect.objectContaining({ name: 'ingresses' }),
    );
  });

  it('does not know what no chart has installed', async () => {
    expect((await ask('/apis/cert-manager.io/v1')).status).toBe(404);
    expect((await ask('/openapi/v3')).status).toBe(404);
  });
});

describe('objects', () => {
  it('come as lists, single or as the table that kubectl prints', async () => {
    const list = await ask('/api/v1/nodes');
    expect(list.body).toMatchObject({ kind: 'NodeList', items: [{ metadata: { name: machine.instanceId } }] });
    const one = await ask(`/api/v1/nodes/${machine.instanceId}`);
    expect(one.body).toMatchObject({ kind: 'Node', metadata: { name: machine.instanceId } });
    const { body } = await table('/api/v1/nodes');
    expect(body.kind).toBe('Table');
    expect(body.columnDefinitions.slice(0, 5).map(({ name }: { name: string }) => name)).toEqual([
      'NAME',
      'STATUS',
      'ROLES',
      'AGE',
      'VERSION',
    ]);
    expect(body.rows[0].cells.slice(0, 3)).toEqual([machine.instanceId, 'Ready', 'control-plane,etcd']);
    expect(body.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata' });
  });

  it('can be selected by label and by field', async () => {
    const names = async (query: string) =>
      (await ask(`/api/v1/pods?${new URLSearchParams(query)}`)).body.items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name.replace(/-.*/, ''),
      );
    expect(await names('labelSelector=k8s-app in (kube-dns,other)')).toEqual(['coredns']);
    expect(await names('labelSelector=k8s-app,k8s-app!=kube-dns')).toEqual(['metrics']);
    expect(await names(`labelSelector=k8s-app=kube-dns&fieldSelector=spec.nodeName=${machine.instanceId}`)).toEqual([
      'coredns',
    ]);
    expect(await names('fieldSelector=spec.nodeName!=nowhere,status.phase=Pending')).toEqual([]);
    expect(await ask('/api/v1/pods?fieldSelector=spec.colour%3Dred')).toMatchObject({
      status: 400,
      body: { message: 'field label not supported: spec.colour' },
    });
  });

  it('that are not there are missed by name', async () => {
    expect(await ask('/apis/apps/v1/namespaces/default/deployments/web')).toMatchObject({
      status: 404,
      body: { reason: 'NotFound', message: 'deployments.apps "web" not found', details: { name: 'web' } },
    });
  });

  it('include what only says what is known anyway: heartbeats and endpoints', async () => {
    const lease = await ask(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${machine.instanceId}`);
    expect(lease.body.spec.holderIdentity).toBe(machine.instanceId);
    const slices = await ask(
      '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io/service-name%3Dtraefik',
    );
    expect(slices.body.items).toEqual([
      expect.objectContaining({ endpoints: [expect.objectContaining({ nodeName: machine.instanceId })] }),
    ]);
  });
});

describe('a watch', () => {
  const lines = (text: string): { type: string; object: { kind: string; metadata: { name: string } } }[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  it('begins with what is there, over a connection of its own', async () => {
    const { body } = await ask('/api/v1/nodes?watch=true&timeoutSeconds=0');
    expect(body.object.metadata.name).toBe(machine.instanceId);
    expect(body.type).toBe('ADDED');
  });

  it('goes on with what becomes of it, from the revision of a list on', async () => {
    const quiet = new Lab(3);
    const server = await quiet.first();
    const client = { commonName: 'system:admin', organizations: ['system:masters'] };
    await quiet.network.balance(9000, () => ({ address: server.address, port: 6443, proxyProtocol: false }));
    const get = (path: string) => quiet.clock.until(quiet.network.request(9000, { path, client }));
    const list = await get('/api/v1/namespaces');
    const { metadata } = JSON.parse(list.ok ? (list.response.body ?? '') : '');
    const watched = await get(`/api/v1/namespaces?watch=true&resourceVersion=${metadata.resourceVersion}`);
    const stream = watched.ok ? watched.response.stream : undefined;
    const leave = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const piece of stream!(leave.signal)) {
        for (const { type, object } of lines(piece)) seen.push(`${type} ${object.metadata.name}`);
      }
    })();
    server.files.write('/tmp/ns.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: { name: watched }\n');
    await server.kubectl('create', '-f', '/tmp/ns.yaml');
    await server.kubectl('label', 'ns', 'watched', 'a=b');
    await server.kubectl('delete', 'ns', 'watched', '--wait=false');
    await quiet.clock.advance(3_000);
    expect(seen).toEqual(['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
    leave.abort(new Error('the client is gone'));
    await expect(reading).rejects.toThrow('the client is gone');
    const old = await get('/api/v1/namespaces?watch=true&resourceVersion=-1');
    expect(old).toMatchObject({ response: { status: 400 } });
    quiet.close();
  });
});

describe('what the model does not do', () => {
  it('is refused by name', async () => {
    expect(await ask('/api/v1/namespaces/default/pods', { method: 'POST' })).toMatchObject({
      status: 405,
      body: { kind: 'Status', reason: 'MethodNotAllowed', message: expect.stringContaining('reads only') },
    });
    expect(await ask(`/api/v1/nodes/${machine.instanceId}`, { method: 'DELETE' })).toMatchObject({ status: 405 });
    expect(await ask('/api/v1/namespaces/kube-system/pods/p/log')).toMatchObject({
      status: 405,
      body: { message: 'the model of K3s has no subresource log' },
    });
    expect((await ask('/api/v1/secretstores')).status).toBe(404);
  });
});

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const describeKubectl = kubectl ? describe : describe.skip;

describeKubectl(kubectl ? 'the real kubectl' : 'the real kubectl (skipped: it is not installed)', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    const config = lab.k3s.kubeconfig(machine.instanceId) ?? '';
    writeFileSync(join(folder, 'config'), config.replace('127.0.0.1', machine.address), { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) =>
    promisify(execFile)('kubectl', [`--kubeconfig=${join(folder, 'config')}`, `--cache-dir=${folder}`, ...args]);

  it('lists nodes, pods and Ingresses, and describes a node and a pod', async () => {
    const { stdout } = await run('get', 'nodes,pods,ingress,deploy,ds,svc', '-A');
    expect(stdout).toMatch(new RegExp(`^node/${machine.instanceId} +Ready +control-plane,etcd `, 'm'));
    expect(stdout).toMatch(/^kube-system +pod\/coredns-\S+ +1\/1 +Running/m);
    expect(stdout).toMatch(/^kube-system +service\/traefik +LoadBalancer/m);
    const node = await run('describe', 'node', machine.instanceId);
    expect(node.stdout).toMatch(/topology\.kubernetes\.io\/zone=eu-west-3a/);
    const pods = await run('describe', 'pod', '-n', 'kube-system', '-l', 'k8s-app=kube-dns');
    expect(pods.stdout).toMatch(/Controlled By: +ReplicaSet\/coredns-/);
  });

  it('is told clearly that nothing is changed this way', async () => {
    await expect(run('delete', 'node', machine.instanceId)).rejects.toThrow(/MethodNotAllowed.*reads only/s);
  });
});
