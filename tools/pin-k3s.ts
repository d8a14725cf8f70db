/**
 * `npm run pin-k3s` writes the checksums of the configured K3s release to cluster.json.
 *
 * They come from the release's own checksum files, so the first use trusts what the release page says today. From then on
 * servers refuse a binary that differs, whatever the release page says.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { loadConfig } from '../infra/config';
import { runTool, ToolError } from './run';

/** Architecture as in cluster.json → as in K3s' file names. */
const RELEASES = {
  x86_64: { suffix: 'amd64', asset: 'k3s' },
  arm64: { suffix: 'arm64', asset: 'k3s-arm64' },
} as const;

const CHECKSUM = /^[0-9a-f]{64}$/;

/** Downloads a text; rejects when it cannot be had. */
export type Download = (url: string) => Promise<string>;

/**
 * Checksums of the K3s binaries of a release, by architecture.
 * @param version such as `v1.35.8+k3s1`
 * @throws when a checksum file cannot be had or does not list the binary exactly once
 */
export async function checksums(version: string, download: Download): Promise<Record<keyof typeof RELEASES, string>> {
  const of = async ({ suffix, asset }: { suffix: string; asset: string }) => {
    const url = `https://github.com/k3s-io/k3s/releases/download/${encodeURIComponent(version)}/sha256sum-${suffix}.txt`;
    const found = (await download(url))
      .split('\n')
      .map((line) => line.trim().split(/\s+\*?/))
      .filter(([checksum = '', name]) => name === asset && CHECKSUM.test(checksum));
    const [checksum] = found[0] ?? [];
    if (checksum === undefined || found.length > 1) throw new ToolError(`${url} does not list ${asset} exactly once`);
    return checksum;
  };
  const [x86_64, arm64] = await Promise.all([of(RELEASES.x86_64), of(RELEASES.arm64)]);
  return { x86_64, arm64 };
}

/**
 * Pins the configured release in a configuration file, which is created when absent; other settings stay as they are.
 * @returns what was done, for people
 * @throws ConfigError when the file is not valid
 */
export async function pin(file: string, download: Download): Promise<string> {
  const { k3sVersion } = loadConfig(file);
  const k3sSha256 = await checksums(k3sVersion, download);
  const settings = z
    .record(z.string(), z.unknown())
    .parse(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});
  // The version too: a checksum means nothing without it, and the default changes with this project.
  writeFileSync(file, `${JSON.stringify({ ...settings, k3sVersion, k3sSha256 }, null, 2)}\n`);
  return [`pinned K3s ${k3sVersion}`, ...Object.entries(k3sSha256).map(([name, sum]) => `  ${name}  ${sum}`)].join(
    '\n',
  );
}

async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
    if (response.ok) return await response.text();
    throw new Error(`${response.status} ${response.statusText}`);
  } catch (error) {
    throw new ToolError(`${url} cannot be had: ${explain(error)}`);
  }
}

/** `fetch` says only "fetch failed"; what failed is in the cause. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

const TOOL = {
  name: 'pin-k3s',
  purpose: 'Writes the checksums of the configured K3s release to cluster.json, from its release page.',
  flags: {},
};

async function main(): Promise<number> {
  console.log(await pin(join(__dirname, '../cluster.json'), fetchText));
  return 0;
}

if (require.main === module) runTool(TOOL, main);
