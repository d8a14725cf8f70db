import { Lab, type TestMachine } from './fixture';

let lab: Lab;
let machine: TestMachine;
beforeAll(async () => {
  lab = new Lab();
  machine = await lab.first();
  await lab.clock.advance(60_000);
});
afterAll(() => lab.close());

const COLUMNS =
  'NAME:.metadata.name,READY:.status.conditions[?(@.type=="Ready")].status,DELETING:.metadata.deletionTimestamp,' +
  'ADDRESS:.status.addresses[?(@.type=="InternalIP")].address,' +
  'PEER:.metadata.annotations.etcd\\.k3s\\.cattle\\.io/node-address';

test('custom columns print <none> where there is no value', async () => {
  const { stdout } = await machine.kubectl('get', 'nodes', '--no-headers', `--output=custom-columns=${COLUMNS}`);
  expect(stdout.trimEnd().split(/\s+/)).toEqual([
    machine.instanceId,
    'True',
    '<none>',
    machine.address,
    machine.address,
  ]);
});

test('an absent node is no error with --ignore-not-found, and one without', async () => {
  const lenient = await machine.kubectl('get', 'node', 'i-none', '--ignore-not-found', '-o', 'json');
  expect(lenient).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  const strict = await machine.kubectl('get', 'node', 'i-none');
  expect(strict).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'Error from server (NotFound): nodes "i-none" not found\n',
  });
});

test('a range template prints one line per item', async () => {
  const template = '{range .items[*]}{.metadata.name}{"\\t"}{.spec.containers[0].name}{"\\n"}{end}';
  const { stdout } = await machine.kubectl('get', 'pods', '-n', 'kube-system', '-o', `jsonpath=${template}`);
  expect(stdout).toMatch(/^coredns-\S+\tcoredns$/m);
  expect(stdout.split('\n').length).toBeGreaterThan(3);
});

test('json and yaml hold the same list', async () => {
  const json = await machine.kubectl('get', 'nodes', '-o', 'json');
  expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'List', items: [{ kind: 'Node' }] });
  const yaml = await machine.kubectl('get', 'node', machine.instanceId, '-o', 'yaml');
  expect(yaml.stdout).toContain('kind: Node');
});

test('tables say what people look for', async () => {
  expect((await machine.kubectl('get', 'nodes', '-o', 'wide')).stdout).toMatch(
    /^NAME\s+STATUS\s+ROLES\s+AGE\s+VERSION\s+INTERNAL-IP\s+EXTERNAL-IP\s+OS-IMAGE\s+CONTAINER-RUNTIME\ni-0{17}\s+Ready\s+control-plane,etcd/,
  );
  expect((await machine.kubectl('get', 'svc', '-A')).stdout).toMatch(
    /kube-system\s+traefik\s+LoadBalancer\s+10\.43\.\S+\s+127\.77\.1\.10\s+80:3\d{4}\/TCP,443:3\d{4}\/TCP/,
  );
  expect((await machine.kubectl('get', 'deploy', '-n', 'kube-system')).stdout).toMatch(/^traefik\s+1\/1\s+1\s+1/m);
  expect((await machine.kubectl('get', 'ingress')).stdout).toBe('No resources found in default namespace.\n');
});

test('creating twice fails, applying twice does not', async () => {
  machine.files.write('/tmp/cm.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { a: b }\n');
  expect((await machine.kubectl('create', '-f', '/tmp/cm.yaml')).stdout).toBe('configmap/c created\n');
  const again = await machine.kubectl('create', '-f', '/tmp/cm.yaml');
  expect(again.stderr).toBe('Error from server (AlreadyExists): configmaps "c" already exists\n');
  const applied = await lab.clock.until(
    machine.command(
      'k3s',
      ['kubectl', 'apply', '--server-side', '-f', '-'],
      'kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: x}}\n',
    ),
  );
  expect(applied.stdout).toBe('configmap/c serverside-applied\n');
  expect((await machine.kubectl('get', 'cm', 'c', '-o', 'jsonpath={.data.a}')).stdout).toBe('x');
});

test('one bad object does not keep the others from being applied, and fails the command', async () => {
  machine.files.write(
    '/tmp/mixed.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: good }\n---\n' +
      'apiVersion: example.org/v1\nkind: Gadget\nmetadata: { name: bad }\n',
  );
  const { exitCode, stdout, stderr } = await machine.kubectl('apply', '--server-side', '-f', '/tmp/mixed.yaml');
  expect(exitCode).toBe(1);
  expect(stdout).toBe('configmap/good serverside-applied\n');
  expect(stderr).toBe(
    'resource mapping not found for name: "bad" namespace: "" from "/tmp/mixed.yaml": ' +
      'no matches for kind "Gadget" in version "example.org/v1"\nensure CRDs are installed first\n',
  );
});

test('a namespace must exist, a node port must be free', async () => {
  machine.files.write('/tmp/lost.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c, namespace: nowhere }\n');
  expect((await machine.kubectl('apply', '--server-side', '-f', '/tmp/lost.yaml')).stderr).toBe(
    'Error from server (NotFound): namespaces "nowhere" not found\n',
  );
  const service = (name: string, port: number) =>
    `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: { type: NodePort, ports: [{ port: 1, nodePort: ${port} }] }\n`;
  machine.files.write(
    '/tmp/ports.yaml',
    `${service('one', 31000)}---\n${service('two', 31000)}---\n${service('three', 80)}`,
  );
  const { stdout, stderr } = await machine.kubectl('apply', '--server-side', '-f', '/tmp/ports.yaml');
  expect(stdout).toBe('service/one serverside-applied\n');
  expect(stderr).toContain('provided port is already allocated');
  expect(stderr).toContain('provided port is not in the valid range');
});

test.each([
  [['drain', 'x'], 'unknown command "drain" for "kubectl"'],
  [['get', 'gadgets'], 'the server doesn\'t have a resource type "gadgets"'],
  [['get', 'nodes', '--watch'], 'unknown flag: --watch'],
  [['get', 'nodes', '-o', 'go-template={{.}}'], 'the model of kubectl has no output format'],
  [['delete', 'node', 'x', '--force'], 'the model of kubectl has no --force'],
  [['apply', '-f', '/tmp/none.yaml'], 'the path "/tmp/none.yaml" does not exist'],
  [['patch', 'node', 'x', '-p', '{}'], '--type=merge only'],
  [['get', '--raw', '/apis/none'], 'no raw path'],
])('%j is refused, saying why', async (args, reason) => {
  const { exitCode, stderr } = await machine.kubectl(...args);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(reason);
});

test.each([
  ['systemctl', ['start', 'nginx'], 'nginx.service'],
  ['systemctl', ['isolate', 'k3s'], 'no verb isolate'],
  ['journalctl', ['-u', 'k3s', '--follow'], 'unknown flag: --follow'],
  ['k3s', ['certificate', 'rotate'], 'no command certificate'],
])('%s %j is refused, saying why', async (program, args, reason) => {
  const { exitCode, stderr } = await machine.run(program, ...args);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain(reason);
});
