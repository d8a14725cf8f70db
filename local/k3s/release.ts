/**
 * The stand-in for the K3s binary: what a download from the release page yields and what runs when it is installed. It
 * carries the version, so that installing another file really is installing another K3s.
 */

/** Where K3s' own installer and this project's user data put it. */
export const BINARY = '/usr/local/bin/k3s';

const MARK = /^# k3s (v\d+\.\d+\.\d+(?:-[0-9a-z.-]+)?\+k3s\d+) linux\/(amd64|arm64)$/m;

export interface Release {
  /** E.g. `v1.35.1+k3s1`. */
  version: string;
  architecture: 'amd64' | 'arm64';
}

/** The file `k3s` (amd64) or `k3s-arm64` of a release: a program, and at its end which release it stands for. */
export function k3sBinary({ version, architecture }: Release, program = '#!/bin/bash\n'): string {
  return `${program}# k3s ${version} linux/${architecture}\n`;
}

/** What an installed file is; undefined when it is no K3s. */
export function releaseOf(binary: string | undefined): Release | undefined {
  const match = MARK.exec(binary ?? '');
  if (!match) return undefined;
  return { version: match[1]!, architecture: match[2] === 'arm64' ? 'arm64' : 'amd64' };
}

/** Kubernetes' minor version: 35 of `v1.35.1+k3s1`. */
export function minorOf({ version }: Release): number {
  return Number(version.split('.')[1]);
}
