import { readConfig } from '../../../local/k3s/config';
import { MemoryFiles } from '../../../local/k3s/host/disk';

function read(files: Record<string, string>, args: string[] = [], environment: Record<string, string> = {}) {
  const disk = new MemoryFiles();
  for (const [path, text] of Object.entries(files)) disk.write(path, text);
  return readConfig(disk, args, environment);
}

const MAIN = '/etc/rancher/k3s/config.yaml';

test('later files, then the command line, replace; key+ appends', () => {
  const config = read(
    {
      [MAIN]: 'token: first\ntls-san: [a]\ndisable: [traefik]\n',
      [`${MAIN}.d/10.yaml`]: 'token: second\ntls-san+: [b]\ndisable: servicelb\n',
      [`${MAIN}.d/20.txt`]: 'token: ignored\n',
    },
    ['--token=third'],
  );
  expect(config).toMatchObject({ token: 'third', tlsSan: ['a', 'b'], disable: ['servicelb'] });
});

test('secrets come from files, without the line’s end', () => {
  const config = read({ [MAIN]: 'token-file: /t\nagent-token-file: /a\n', '/t': 'secret\n', '/a': 'agent\n' });
  expect(config).toMatchObject({ token: 'secret', critical: { 'agent-token': 'agent' } });
});

test('the unit’s environment is read like flags', () => {
  expect(read({}, [], { K3S_TOKEN: 't', K3S_URL: 'https://10.0.0.1:6443' })).toMatchObject({
    token: 't',
    server: 'https://10.0.0.1:6443',
  });
});

test('NodePorts come from the range that Kubernetes has, or from the configured one', () => {
  expect(read({}).nodePorts).toEqual({ first: 30000, last: 32767 });
  expect(read({ [MAIN]: 'service-node-port-range: 32000-32767\n' }).nodePorts).toEqual({ first: 32000, last: 32767 });
});

test.each([
  ['no-such-flag: 1', 'flag provided but not defined: -no-such-flag'],
  ['cluster-init: maybe', 'invalid boolean value "maybe" for -cluster-init'],
  ['token-file: /none', 'open /none: no such file or directory'],
  ['node-label: [zone]', 'invalid label zone'],
  ['server: http://10.0.0.1:6443', 'only https:// URLs are supported'],
  ['disable: [dashboards]', 'no packaged component dashboards'],
  ['service-node-port-range: 32000', 'invalid port range 32000'],
  ['service-node-port-range: 32767-32000', 'invalid port range'],
  ['etcd-s3: true', 'the model of K3s has no --etcd-s3'],
  ['- a list', 'not a map of flags to values'],
  ['a: [unclosed', 'failed to load config file'],
  ['kube-apiserver-arg: [default-not-ready-toleration-seconds=30]', 'to be equal'],
])('%s is refused', (text, message) => {
  expect(() => read({ [MAIN]: text })).toThrow(message);
});
