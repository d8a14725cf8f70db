/** Secrets of type `kubernetes.io/tls`. */
import { z } from 'zod';
import type { Certificate } from '../network';
import type { KubeObject } from './objects';

const Tls = z.looseObject({
  type: z.literal('kubernetes.io/tls'),
  data: z.looseObject({ 'tls.crt': z.base64(), 'tls.key': z.base64() }),
});

/** Undefined when there is no such secret, or it is none of that type: Traefik then shows its default certificate. */
export function readTls(secret: KubeObject | undefined): Certificate | undefined {
  const parsed = Tls.safeParse(secret);
  if (!parsed.success) return undefined;
  const { 'tls.crt': cert, 'tls.key': key } = parsed.data.data;
  const text = (value: string) => Buffer.from(value, 'base64').toString('utf8');
  return { cert: text(cert), key: text(key) };
}

export function tlsData({ cert, key }: Certificate): Record<string, string> {
  const encoded = (text: string) => Buffer.from(text).toString('base64');
  return { 'tls.crt': encoded(cert), 'tls.key': encoded(key) };
}
