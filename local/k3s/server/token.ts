/** The join token in both of its forms. */
import { ConfigError } from '../config';

export interface Token {
  /** Of the CA; undefined in the short form. */
  hash: string | undefined;
  user: string;
  password: string;
}

/** `K10<hash>::<user>:<password>` or a bare password. Throws with K3s' own text. */
export function passwordOf(token: string): Token {
  if (!token.startsWith('K10')) return { hash: undefined, user: '', password: token };
  const [hash, credentials] = token.slice(3).split('::', 2);
  if (credentials === undefined || !hash) throw new ConfigError('failed to normalize token: invalid token format');
  if (hash.length !== 64) throw new ConfigError('failed to normalize token: invalid token CA hash length');
  const colon = credentials.indexOf(':');
  if (colon < 0) throw new ConfigError('failed to normalize token: invalid token format');
  return { hash, user: credentials.slice(0, colon), password: credentials.slice(colon + 1) };
}
