import { createHash } from 'node:crypto';
import { parameter, requireReady, STATE } from './common';
import type { Twin } from './shell';

const UNREADABLE = /\(403\)|\(404\)|AccessDenied|NoSuchKey|NoSuchBucket/;
const NOT_YET =
  /no matches for kind|onnection refused|timed? ?out|deadline exceeded|etcdserver|ServiceUnavailable|TooManyRequests|InternalError|currently unable to handle|not ready/;

/** nodes/apply-manifests.sh */
export const applyManifests: Twin = async (shell) => {
  const uri = parameter(shell, 'manifestsUri');
  const sha256 = parameter(shell, 'manifestsSha256');
  const { REGION } = requireReady(shell);
  const file = `${STATE}/manifests.yaml`;
  try {
    shell.log(`downloading ${uri}`);
    const download = await shell.run('aws', 's3', 'cp', uri, file, '--region', REGION, '--only-show-errors');
    if (download.exitCode !== 0) {
      shell.log(download.stderr.trim());
      if (UNREADABLE.test(download.stderr)) shell.fail(`cannot read ${uri}`);
      shell.again(`cannot read ${uri}`);
    }
    const actual = createHash('sha256')
      .update(shell.files.read(file) ?? '')
      .digest('hex');
    if (actual !== sha256) shell.fail(`the checksum of ${uri} is ${actual}, expected ${sha256}`);

    shell.log('applying');
    const flags = ['--request-timeout=60s', 'apply', '--server-side', '--force-conflicts', `--filename=${file}`];
    const apply = await shell.run('k3s', 'kubectl', ...flags);
    if (apply.exitCode !== 0) {
      shell.log(apply.stderr.trim());
      if (NOT_YET.test(apply.stderr)) shell.again('the API server does not take the manifests yet');
      shell.fail('the API server refuses the manifests');
    }
    const lines = apply.stdout.split('\n').filter((line) => line !== '');
    return JSON.stringify({ applied: lines.length });
  } finally {
    shell.files.remove(file);
  }
};
