/** A Node's first registration stores the hash of its machine's password; later ones must match it. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Cluster } from '../cluster';
import type { ServerProcess } from './index';

const PASSWORD_FILE = '/etc/rancher/node/password';
const Stored = z.looseObject({ data: z.object({ hash: z.string() }) });

/** Ends the process when the Node belongs to another machine. */
export function verifyPassword(server: ServerProcess, cluster: Cluster): void {
  const { files, model } = server.machine;
  let password = files.read(PASSWORD_FILE)?.trim();
  if (password === undefined) {
    password = model.world.random.hex(32);
    files.write(PASSWORD_FILE, `${password}\n`, 0o600);
  }
  const hash = createHash('sha256').update(password).digest('hex');
  const name = secretName(server);
  const secret = cluster.api.get('Secret', name, 'kube-system');
  if (!secret) {
    const metadata = { name, namespace: 'kube-system' };
    if (cluster.api.get('Namespace', 'kube-system')) {
      cluster.api.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        type: 'Opaque',
        data: { hash },
        immutable: true,
      });
    }
  } else if (Stored.safeParse(secret).data?.data.hash !== hash) {
    const mismatch = `unable to verify hash for node '${server.nodeName}': hash does not match`;
    server.log('error', `Sending HTTP 403 response: ${mismatch}`);
    server.fail(
      `Node password rejected, duplicate hostname or contents of '${PASSWORD_FILE}' may not match server ` +
        `node-passwd entry: ${mismatch}`,
    );
  }
}

/** After a reset the node's stored password may be older than the disk's. */
export function forgetPassword(server: ServerProcess, cluster: Cluster): void {
  const secret = cluster.api.get('Secret', secretName(server), 'kube-system');
  if (secret) cluster.api.forget(secret);
}

function secretName({ nodeName }: ServerProcess): string {
  return `${nodeName}.node-password.k3s`;
}
