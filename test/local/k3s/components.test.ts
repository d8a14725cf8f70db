import { readConfig } from '../../../local/k3s/config';
import { MemoryFiles } from '../../../local/k3s/host/disk';
import { Lab } from './fixture';

const ADMISSION = '/etc/rancher/k3s/admission.yaml';
const AUDIT = '/etc/rancher/k3s/audit.yaml';

const admission = (defaults: object = {}) =>
  JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      {
        name: 'PodSecurity',
        configuration: {
          apiVersion: 'pod-security.admission.config.k8s.io/v1',
          kind: 'PodSecurityConfiguration',
          defaults: {
            enforce: 'baseline',
            'enforce-version': 'latest',
            audit: 'restricted',
            'audit-version': 'latest',
            warn: 'restricted',
            'warn-version': 'latest',
            ...defaults,
          },
          exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
        },
      },
    ],
  });

function read(config: object, files: Record<string, string> = {}) {
  const disk = new MemoryFiles();
  disk.write('/etc/rancher/k3s/config.yaml', JSON.stringify(config));
  for (const [path, text] of Object.entries(files)) disk.write(path, text);
  return readConfig(disk, [], {});
}

describe('K3s starts', () => {
  test('with the levels of its admission configuration', () => {
    const config = { 'kube-apiserver-arg': [`admission-control-config-file=${ADMISSION}`] };
    expect(read(config, { [ADMISSION]: admission() }).podSecurity).toEqual({
      enforce: 'baseline',
      warn: 'restricted',
      exempt: ['kube-system'],
    });
  });

  test('with lists of ciphers, which contain commas', () => {
    expect(() => read({ 'kubelet-arg': ['tls-cipher-suites=TLS_A,TLS_B'] })).not.toThrow();
  });

  test('without any, and then every pod is admitted', () => {
    expect(read({}).podSecurity).toEqual({ enforce: 'privileged', warn: 'privileged', exempt: [] });
  });
});

test.each<[object, Record<string, string>, string]>([
  [{ 'kube-apiserver-arg': ['audit-log-file=/a'] }, {}, 'unknown flag: --audit-log-file'],
  [{ 'kubelet-arg': ['audit-log-path=/a'] }, {}, 'kubelet: unknown flag: --audit-log-path'],
  [{ 'kube-scheduler-arg': ['v=4'] }, {}, 'kube-scheduler: unknown flag: --v'],
  [{ 'kube-apiserver-arg': ['audit-log-maxage=month'] }, {}, 'invalid argument "month" for "--audit-log-maxage" flag'],
  [{ 'kubelet-arg': ['streaming-connection-idle-timeout=5'] }, {}, 'invalid argument "5"'],
  [{ 'kube-apiserver-arg': ['enable-admission-plugins=NodeRestrictions'] }, {}, 'plugin "NodeRestrictions" is unknown'],
  [{ 'kube-apiserver-arg': [`audit-policy-file=${AUDIT}`] }, {}, `open ${AUDIT}: no such file or directory`],
  [{ 'kube-apiserver-arg': [`audit-policy-file=${AUDIT}`] }, { [AUDIT]: 'kind: Policy' }, 'loading audit policy file'],
  [
    { 'kube-apiserver-arg': [`admission-control-config-file=${ADMISSION}`] },
    { [ADMISSION]: admission({ enforce: 'strict' }) },
    'unable to read admission control configuration',
  ],
])('K3s does not start with %j', (config, files, message) => {
  expect(() => read(config, files)).toThrow(message);
});

describe('where a namespace says nothing', () => {
  let lab: Lab;
  afterEach(() => lab.close());

  async function create(namespace: string, spec: object) {
    lab = new Lab();
    const server = lab.machine();
    server.files.write(ADMISSION, admission());
    server.configure({
      'cluster-init': true,
      'kube-apiserver-arg': [
        'default-not-ready-toleration-seconds=30',
        'default-unreachable-toleration-seconds=30',
        `admission-control-config-file=${ADMISSION}`,
      ],
    });
    await server.start();
    await lab.untilVoter(server, server);
    const containers = [{ name: 'web', image: 'nginx:1.29' }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace }, spec: { ...spec, containers } };
    server.files.write('/root/pod.json', JSON.stringify(pod));
    return server.kubectl('apply', '--server-side', '--filename=/root/pod.json');
  }

  test('a pod that could take over its node is refused', async () => {
    const { exitCode, stderr } = await create('default', { hostNetwork: true });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)');
  });

  test('an ordinary pod runs, with a warning of what it could do better', async () => {
    const { exitCode, stderr } = await create('default', {});
    expect(exitCode).toBe(0);
    expect(stderr).toContain('would violate PodSecurity "restricted:latest"');
  });

  test("K3s' own pods may do what they need", async () => {
    expect(await create('kube-system', { hostNetwork: true })).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
