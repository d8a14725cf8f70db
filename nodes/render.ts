/** Turns the sources in this folder into the text that an SSM document or a launch template carries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** EC2's limit for user data before base64 (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html). */
export const USER_DATA_LIMIT = 16_384;

const INCLUDE = /^source (lib\/[a-z-]+\.sh)$/gm;

const read = (file: string) => readFileSync(join(__dirname, file), 'utf8');

/** A node script as one file: each `source lib/….sh` line is replaced by that file. `stem` is `start-server`, … */
export function renderScript(stem: string): string {
  return read(`${stem}.sh`).replace(INCLUDE, (_line, library: string) => read(library).trimEnd());
}

/** What user data is told about its cluster. Values may be CDK tokens. */
export interface UserDataSettings {
  CLUSTER: string;
  REGION: string;
  /** Name or ARN of the join token's secret. */
  TOKEN_SECRET: string;
  /** Host of the registry that nodes log in to; empty: none. */
  REGISTRY: string;
  /** DNS name of the load balancer. */
  TLS_SAN: string;
  K3S_VERSION: string;
  /** 64 hex digits, or empty: the release's own checksum file decides. */
  K3S_SHA256: string;
}

/** Comments and indentation cost bytes of the 16 kB that instances get; whole-line comments are left out of them. */
export function renderUserData(settings: UserDataSettings): string {
  const [shebang, ...lines] = read('user-data.sh').split('\n');
  const text = [shebang, ...lines.filter((line) => !/^\s*#(?!!)/.test(line))].join('\n');
  return text.replace(/@([A-Z0-9_]+)@/g, (placeholder, name: string) => {
    const value = Object.entries(settings).find(([key]) => key === name)?.[1];
    if (value === undefined) throw new Error(`user-data.sh has an unknown placeholder ${placeholder}`);
    return value;
  });
}
