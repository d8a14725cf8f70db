import type { Login, Pulled } from '../../../local/k3s/images';
import { Lab, type TestMachine } from './fixture';

const REGISTRY = '123456789012.dkr.ecr.eu-west-3.amazonaws.com';
const IMAGE = `${REGISTRY}/echo:1a2b`;
const PROVIDERS = '/var/lib/rancher/credentialprovider';
const RESOLVE = `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": `;

let lab: Lab;
let server: TestMachine;
/** The logins that the registry was shown. */
let shown: (Login | undefined)[];

beforeEach(async () => {
  lab = new Lab();
  shown = [];
  server = await lab.first();
});
afterEach(() => lab.close());

function registry(answer: Pulled): void {
  const pull = async (_image: string, login: Login | undefined) => {
    shown.push(login);
    return login || 'status' in answer ? answer : ({ status: 401 } as const);
  };
  lab.registries = { holds: (image) => image.startsWith(`${REGISTRY}/`), pull };
}

/** As user data leaves it behind. */
function provider(matchImages = REGISTRY): void {
  const { files } = server;
  files.write(`${PROVIDERS}/bin/ecr-login`, '#!/bin/bash\n', 0o755);
  const version = 'credentialprovider.kubelet.k8s.io/v1';
  const own = { name: 'ecr-login', apiVersion: version, matchImages: [matchImages], defaultCacheDuration: '6h' };
  const head = { apiVersion: 'kubelet.config.k8s.io/v1', kind: 'CredentialProviderConfig' };
  files.write(`${PROVIDERS}/config.yaml`, JSON.stringify({ ...head, providers: [own] }));
  lab.execute = async () => {
    const auth = { [REGISTRY]: { username: 'AWS', password: `login ${shown.length}` } };
    const response = { apiVersion: version, kind: 'CredentialProviderResponse', cacheKeyType: 'Registry' };
    return { exitCode: 0, stdout: JSON.stringify({ ...response, cacheDuration: '5m0s', auth }), stderr: '' };
  };
}

async function pod(name: string, image = IMAGE): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'echo', image }] },
  };
  server.files.write(`/root/${name}.json`, JSON.stringify(manifest));
  expect(await server.kubectl('apply', '--server-side', `--filename=/root/${name}.json`)).toMatchObject({
    exitCode: 0,
  });
}

const status = async (name: string) =>
  (await server.kubectl('get', 'pod', name, '--no-headers')).stdout.split(/\s+/)[2];
const message = async (name: string) =>
  (await server.kubectl('get', 'pod', name, '--output=jsonpath={.status.containerStatuses[0].state.waiting.message}'))
    .stdout;
const becomes = (name: string, wanted: string) => lab.until(wanted, async () => (await status(name)) === wanted);

it("pulls with the provider's login, once for a registry", async () => {
  registry({ architecture: 'arm64' });
  provider();
  await pod('one');
  await becomes('one', 'Running');
  await pod('two', `${REGISTRY}/echo:3c4d`);
  await becomes('two', 'Running');
  expect(shown).toEqual([
    { username: 'AWS', password: 'login 0' },
    { username: 'AWS', password: 'login 0' },
  ]);
});

it('asks the provider again when its login is too old', async () => {
  registry({ architecture: 'arm64' });
  provider();
  await pod('one');
  await becomes('one', 'Running');
  await lab.clock.advance(5 * 60_000);
  await pod('two', `${REGISTRY}/echo:3c4d`);
  await becomes('two', 'Running');
  expect(shown[1]).toEqual({ username: 'AWS', password: 'login 1' });
});

it('an image that is on the disk is not pulled again', async () => {
  registry({ architecture: 'arm64' });
  provider();
  await pod('one');
  await becomes('one', 'Running');
  await pod('two');
  await becomes('two', 'Running');
  expect(shown).toHaveLength(1);
});

it('public images need no login', async () => {
  registry({ status: 404 });
  await pod('web', 'docker.io/library/nginx:1.29');
  await becomes('web', 'Running');
  expect(shown).toEqual([]);
});

describe('backs off and says why, when', () => {
  it.each<[string, () => void, Pulled, string]>([
    [
      'there is no provider',
      () => {},
      { architecture: 'arm64' },
      'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    ],
    [
      'the provider is for another registry',
      () => provider('images.example.org'),
      { architecture: 'arm64' },
      'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    ],
    [
      'the provider fails',
      () => {
        provider();
        lab.execute = async () => ({ exitCode: 254, stdout: '', stderr: 'AccessDeniedException' });
      },
      { architecture: 'arm64' },
      'pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials',
    ],
    [
      'the login may not read the repository',
      provider,
      { status: 403 },
      `unexpected status from HEAD request to https://${REGISTRY}/v2/echo/manifests/1a2b: 403 Forbidden`,
    ],
    ['the image does not exist', provider, { status: 404 }, `${IMAGE}: not found`],
  ])('%s', async (_case, given, answer, expected) => {
    registry(answer);
    given();
    await pod('echo');
    await becomes('echo', 'ErrImagePull');
    expect(await message('echo')).toBe(RESOLVE + expected);
    await becomes('echo', 'ImagePullBackOff');
    expect(await message('echo')).toBe(`Back-off pulling image "${IMAGE}": ErrImagePull: ${RESOLVE}${expected}`);
  });
});

it('pulls again after the back-off, and runs as soon as it may', async () => {
  registry({ status: 403 });
  provider();
  await pod('echo');
  await becomes('echo', 'ImagePullBackOff');
  await lab.clock.advance(60_000);
  const attempts = shown.length;
  expect(attempts).toBeGreaterThan(1);
  expect(attempts).toBeLessThan(5);
  registry({ architecture: 'arm64' });
  await becomes('echo', 'Running');
});

it.each<[string, () => void]>([
  [
    'the registry breaks off',
    () => {
      lab.registries = {
        holds: (image) => image.startsWith(`${REGISTRY}/`),
        pull: () => Promise.reject(new Error('connection reset by peer')),
      };
    },
  ],
  [
    'the provider breaks off',
    () => {
      lab.execute = () => Promise.reject(new Error('connection reset by peer'));
    },
  ],
])('pulls again after %s, for as long as the pod is there', async (_case, breakOff) => {
  registry({ architecture: 'arm64' });
  provider();
  const { registries, execute } = lab;
  breakOff();
  await pod('echo');
  await becomes('echo', 'ErrImagePull');
  expect(await message('echo')).toBe('connection reset by peer');
  await becomes('echo', 'ImagePullBackOff');
  await lab.clock.advance(60_000);
  expect(await status('echo')).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
  Object.assign(lab, { registries, execute });
  await becomes('echo', 'Running');
});

it('an image of another architecture is pulled, and its program cannot be run', async () => {
  registry({ architecture: 'amd64' });
  provider();
  await pod('echo');
  await becomes('echo', 'CrashLoopBackOff');
  await lab.clock.advance(600_000);
  expect(await status('echo')).toBe('CrashLoopBackOff');
});
