/** Machines of the model of K3s, and configurations applied to them by the node script. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../infra/config';
import { writeManifests } from '../../infra/manifests';
import { Servers } from '../local/k3s/servers';
import type { HostKind } from '../nodes/machine';

export const ROOT = join(__dirname, '../..');
/** Everything that is shipped. */
export const CERTIFIED = { domain: 'demo.k3s-ha.org', acme: { email: 'ops@k3s-ha.org' } };

/** The file that a deployment of these settings delivers. */
export function delivered(settings: object): string {
  const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-manifests-'));
  try {
    return readFileSync(writeManifests(ROOT, parseConfig(settings), join(directory, 'manifests.yaml')).path, 'utf8');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One server, Ready. */
export async function startServer(kind: HostKind = 'twin'): Promise<Servers> {
  const servers = await Servers.start(kind);
  const first = await servers.launch();
  await servers.run(first, 'start-server', { SSM_mode: 'init', SSM_peerAddress: '', SSM_caHash: '' });
  return servers;
}

/** Runs ApplyManifests, again while it asks for that, as the workflow does; what it said in the end. */
export async function apply(servers: Servers, text: string, attempts = 40): Promise<unknown> {
  servers.aws.manifests = text;
  const sha256 = createHash('sha256').update(text).digest('hex');
  const environment = { SSM_manifestsUri: 's3://assets/manifests.yaml', SSM_manifestsSha256: sha256 };
  return servers.run(servers.machines[0]!, 'apply-manifests', environment, attempts);
}

/** What kubectl prints, line by line. */
export async function lines(servers: Servers, args: string): Promise<string[]> {
  return (await servers.kubectl(args)).split('\n').filter((line) => line !== '');
}
