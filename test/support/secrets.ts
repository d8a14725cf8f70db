/** The secrets of a running cluster. */
import * as z from 'zod';
import type { EmbeddedAws } from '../../local/embedded';
import { call } from './call';

const VALUE = z.object({ SecretString: z.string() });
const FIELDS = ['client-key-data', 'client-certificate-data'];

/** What must stay on the servers now: the secrets of the stack, and each server's copy of the administrator's identity. */
export async function secretsOf(aws: EmbeddedAws): Promise<Record<string, string>> {
  const { world, services, stack } = aws;
  const found: Record<string, string> = {};
  for (const [id, { type, ref }] of stack.resources) {
    if (type !== 'AWS::SecretsManager::Secret') continue;
    const answer = await call(world, services.secretsmanager, 'GetSecretValue', { SecretId: ref });
    found[`the value of ${id}`] = VALUE.parse(answer).SecretString;
  }
  for (const { instanceId } of aws.state().servers) {
    const text = await kubeconfigOf(aws, instanceId);
    for (const field of FIELDS) {
      const encoded = new RegExp(`${field}: (\\S+)`).exec(text)?.[1] ?? '';
      found[`${field} of ${instanceId}`] = encoded;
      const pem = Buffer.from(encoded, 'base64').toString().split('\n');
      pem.forEach((line, index) => {
        if (/^[A-Za-z0-9+/=]{16,}$/.test(line)) found[`${field} of ${instanceId} line ${index}`] = line;
      });
    }
  }
  return found;
}

/** The administrator's kubeconfig, as a server has it on its disk. */
export async function kubeconfigOf({ route }: EmbeddedAws, instance: string): Promise<string> {
  const query = new URLSearchParams({ instance });
  const { body } = await route({
    method: 'GET',
    path: '/_local/kubeconfig',
    query,
    headers: {},
    body: Buffer.alloc(0),
  });
  return Buffer.from(body).toString();
}
