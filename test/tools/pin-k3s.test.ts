import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../infra/config';
import { DEFAULT_K3S_VERSION } from '../../infra/defaults';
import { checksums, type Download, pin } from '../../tools/pin-k3s';

const AMD64 = 'a1'.repeat(32);
const ARM64 = 'b2'.repeat(32);
const OTHER = 'c3'.repeat(32);

/** Checksum files as K3s publishes them: the binary among images and other files. */
const published: Download = async (url) =>
  url.endsWith('sha256sum-amd64.txt')
    ? `${OTHER}  k3s-airgap-images-amd64.tar.zst\n${AMD64}  k3s\n`
    : `${ARM64}  k3s-arm64\n${OTHER}  k3s-airgap-images-arm64.tar\n`;

const folder = mkdtempSync(join(tmpdir(), 'k3s-ha-pin-'));
const file = join(folder, 'cluster.json');
afterEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

it('the checksums are those of the binaries in the release’s own files', async () => {
  const urls: string[] = [];
  const download: Download = (url) => {
    urls.push(url);
    return published(url);
  };
  expect(await checksums('v1.35.8+k3s1', download)).toEqual({ x86_64: AMD64, arm64: ARM64 });
  expect(urls).toEqual([
    'https://github.com/k3s-io/k3s/releases/download/v1.35.8%2Bk3s1/sha256sum-amd64.txt',
    'https://github.com/k3s-io/k3s/releases/download/v1.35.8%2Bk3s1/sha256sum-arm64.txt',
  ]);
});

it.each([
  ['does not list the binary', `${OTHER}  k3s-images.txt\n`],
  ['lists it twice', `${AMD64}  k3s\n${OTHER}  k3s\n${ARM64}  k3s-arm64\n`],
  ['is an error page', '<html>Not Found</html>'],
])('a checksum file that %s is refused', async (_what, text) => {
  await expect(checksums('v1.35.8+k3s1', async () => text)).rejects.toThrow(/does not list k3s exactly once/);
});

it('other settings stay as they are', async () => {
  writeFileSync(file, '{"name": "prod", "servers": 5}');
  await pin(file, published);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    name: 'prod',
    servers: 5,
    k3sVersion: DEFAULT_K3S_VERSION,
    k3sSha256: { x86_64: AMD64, arm64: ARM64 },
  });
  expect(loadConfig(file).k3sSha256).toEqual({ x86_64: AMD64, arm64: ARM64 });
});

it('an absent configuration is created', async () => {
  expect(await pin(file, published)).toContain(`pinned K3s ${DEFAULT_K3S_VERSION}`);
  expect(loadConfig(file).k3sVersion).toBe(DEFAULT_K3S_VERSION);
});

it('nothing is written when a download fails', async () => {
  await expect(pin(file, () => Promise.reject(new Error('answered 404 Not Found')))).rejects.toThrow(/404/);
  expect(() => readFileSync(file)).toThrow(/ENOENT/);
});
