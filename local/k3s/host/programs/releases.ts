import { createHash } from 'node:crypto';
import type { Clock } from '../../../clock';
import type { Latency } from '../../../latency';
import { k3sBinary } from '../../release';
import { SHIM } from '../shim';
import type { UrlSource } from './curl';

const ASSET = /^\/k3s-io\/k3s\/releases\/download\/(v\d+\.\d+\.\d+(?:-[0-9a-z.-]+)?\+k3s\d+)\/([\w.-]+)$/;

/** The file of a release, by its name on the release page. */
function assetOf(version: string, name: string): string | undefined {
  const binary = (architecture: 'amd64' | 'arm64') => k3sBinary({ version, architecture }, SHIM);
  const sum = (text: string) => createHash('sha256').update(text).digest('hex');
  switch (name) {
    case 'k3s':
      return binary('amd64');
    case 'k3s-arm64':
      return binary('arm64');
    case 'sha256sum-amd64.txt':
      return `${sum(binary('amd64'))}  k3s\n`;
    case 'sha256sum-arm64.txt':
      return `${sum(binary('arm64'))}  k3s-arm64\n`;
    default:
      return undefined;
  }
}

/**
 * K3s' releases on GitHub. The binary is the shim, so that what user data installs and the node commands run is what
 * was downloaded and verified; the checksum files agree with it.
 */
export function k3sReleases(clock: Clock, latency: Latency): UrlSource {
  return async ({ signal, spec }, { method, url }, follow) => {
    if (url.protocol !== 'https:' || url.hostname !== 'github.com') return undefined;
    const [, version = '', name = ''] = ASSET.exec(decodeURIComponent(url.pathname)) ?? [];
    const body = assetOf(version, name);
    if (method !== 'GET' || body === undefined) return { status: 404, body: 'Not Found' };
    // GitHub redirects every asset to its storage.
    if (!follow) return { status: 302, body: '' };
    const delay = name.endsWith('.txt') ? 'api.call' : 'download.k3s';
    await clock.sleep(latency.sample(delay, spec.instanceId), signal);
    return { status: 200, body };
  };
}
