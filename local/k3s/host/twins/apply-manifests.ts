import { createHash } from 'node:crypto';
import type { CommandResult } from '../../command';
import { now, parameter, requireReady, STATE } from './common';
import type { Shell, Twin } from './shell';

const UNREADABLE = /\(403\)|\(404\)|AccessDenied|NoSuchKey|NoSuchBucket/;
const NOT_YET =
  /no matches for kind|onnection refused|was refused|nable to connect|timed? ?out|deadline exceeded|etcdserver|ServiceUnavailable|TooManyRequests|InternalError|currently unable to handle|not ready/;

const INVENTORY = ['configmap', 'k3s-ha-aws-manifests', '--namespace=kube-system'];
const MARK = 'k3s-ha-aws/manifests';
const NOTE = 'k3s-ha-aws/to-delete';
/** Seconds. */
const WAIT = 60;

/** nodes/apply-manifests.sh */
export const applyManifests: Twin = async (shell) => {
  const uri = parameter(shell, 'manifestsUri');
  const sha256 = parameter(shell, 'manifestsSha256');
  const { REGION } = requireReady(shell);
  const file = `${STATE}/manifests.yaml`;
  try {
    const text = await download(shell, uri, file, REGION);
    const actual = createHash('sha256').update(text).digest('hex');
    if (actual !== sha256) shell.fail(`the checksum of ${uri} is ${actual}, expected ${sha256}`);

    const repository = shell.env.SSM_echoRepository ?? '';
    if (repository)
      shell.files.write(
        file,
        text.replaceAll('repository.invalid/tcpecho:', () => `${repository}:`),
      );

    const wanted = new Set([...text.matchAll(/^# object: (.*)$/gm)].map(([, line]) => line));
    const format = `jsonpath={.data.objects}{"\\n"}{.metadata.annotations.${NOTE}}`;
    const known = await kubectl(
      shell,
      'the API server does not tell what it was given',
      'get',
      ...INVENTORY,
      '--ignore-not-found',
      `--output=${format}`,
    );
    const gone = [...new Set(known.split(/[,\n]/))].filter((line) => line !== '' && !wanted.has(line)).sort();
    if (gone.length > 0) {
      const reason = 'the API server does not note what is to be deleted';
      await kubectl(shell, reason, 'annotate', ...INVENTORY, '--overwrite', `${NOTE}=${gone.join(',')}`);
    }

    shell.log('applying');
    const flags = ['--server-side', '--force-conflicts', `--filename=${file}`];
    const output = await kubectl(shell, 'the API server does not take the manifests', 'apply', ...flags);
    shell.log(output.trimEnd());

    let pruned = 0;
    for (const line of gone) if (await prune(shell, line)) pruned++;
    if (gone.length > 0) {
      await kubectl(shell, 'the API server does not note what was deleted', 'annotate', ...INVENTORY, `${NOTE}-`);
    }
    await awaitTraefik(shell);
    return JSON.stringify({ applied: output.split('\n').filter((line) => line !== '').length, pruned });
  } finally {
    shell.files.remove(file);
  }
};

async function awaitTraefik(shell: Shell): Promise<void> {
  const started = await now(shell);
  const which = ['daemonset', 'traefik', '--namespace=kube-system', '--ignore-not-found'];
  const format = '--output=jsonpath={.status.numberReady}/{.status.desiredNumberScheduled}';
  for (;;) {
    const pods = await kubectl(shell, 'the API server does not tell of Traefik', 'get', ...which, format);
    const [, ready, desired] = /^([1-9]\d*)\/(\d+)$/.exec(pods) ?? [];
    if (ready !== undefined && ready === desired) return;
    if ((await now(shell)) - started >= WAIT) {
      shell.again(`Traefik is not ready on every server after ${WAIT} s: ${pods || 'not installed yet'}`);
    }
    await shell.must('sleep', '2');
  }
}

async function download(shell: Shell, uri: string, file: string, region: string): Promise<string> {
  shell.log(`downloading ${uri}`);
  const { exitCode, stderr } = await shell.run('aws', 's3', 'cp', uri, file, '--region', region, '--only-show-errors');
  if (exitCode !== 0) {
    shell.log(stderr.trim());
    if (UNREADABLE.test(stderr)) shell.fail(`cannot read ${uri}`);
    shell.again(`cannot read ${uri}`);
  }
  return shell.files.read(file) ?? '';
}

/** Whether there was something to delete. */
async function prune(shell: Shell, line: string): Promise<boolean> {
  const [kind = '', namespace = '', name = ''] = line.split(' ');
  shell.log(`deleting ${kind} ${name}`);
  const where = namespace === '-' ? [] : [`--namespace=${namespace}`];
  const which = [`--selector=${MARK}`, `--field-selector=metadata.name=${name}`, '--wait=false'];
  const result = await shell.run('k3s', 'kubectl', '--request-timeout=60s', 'delete', kind, ...where, ...which);
  if (result.stderr.includes("doesn't have a resource type")) {
    shell.log(`there is no kind ${kind} any more`);
    return false;
  }
  const output = check(shell, result, `the API server does not delete ${kind} ${name}`);
  shell.log(output.trimEnd());
  return output.includes(' deleted');
}

async function kubectl(shell: Shell, reason: string, ...args: string[]): Promise<string> {
  return check(shell, await shell.run('k3s', 'kubectl', '--request-timeout=60s', ...args), reason);
}

function check(shell: Shell, { exitCode, stdout, stderr }: CommandResult, reason: string): string {
  if (exitCode === 0) return stdout;
  shell.log(stderr.trim());
  if (NOT_YET.test(stderr)) shell.again(reason);
  shell.fail(reason);
}
