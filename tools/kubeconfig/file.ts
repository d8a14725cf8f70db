/** The kubeconfig that K3s writes on its servers, made useful elsewhere. */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { ToolError } from '../run';

const BASE64 = z.base64().min(1);

/** As `/etc/rancher/k3s/k3s.yaml` is: one cluster and one user. */
const KUBECONFIG = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Config'),
  clusters: z.tuple([
    z.looseObject({ cluster: z.looseObject({ server: z.url(), 'certificate-authority-data': BASE64 }) }),
  ]),
  users: z.tuple([
    z.looseObject({ user: z.looseObject({ 'client-certificate-data': BASE64, 'client-key-data': BASE64 }) }),
  ]),
});

/**
 * The kubeconfig for another place: it names the cluster instead of `default`, so that it can be merged with others.
 * @param text what a server has; never quoted in an error, because it is a secret
 * @param server the URL of the API as this machine reaches it
 * @throws ToolError when the text is no kubeconfig of K3s
 */
export function kubeconfigFor(text: string, cluster: string, server: string): string {
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    throw new ToolError('what the server answered is not YAML, so it is no kubeconfig');
  }
  const parsed = KUBECONFIG.safeParse(content);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.map(String).join('.') || 'the whole').join(', ');
    throw new ToolError(`what the server answered is no kubeconfig of K3s: wrong or missing: ${fields}`);
  }
  const [{ cluster: theirs }] = parsed.data.clusters;
  const [{ user }] = parsed.data.users;
  const name = `k3s-${cluster}`;
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { ...theirs, server } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    // Keys and certificates stay on one line, as everybody's kubeconfig has them.
    { lineWidth: 0 },
  );
}

/** Writes a file that only its owner can read, from its first byte on; replaces what was there at once. */
export function writeSecret(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  // An existing file of that name would have kept its own mode.
  chmodSync(temporary, 0o600);
  renameSync(temporary, path);
}
