import type { RunResult } from '../../local/machine';
import { renderScript } from '../../nodes/render';
import { CASES, type Case } from './cases';
import { cleanUp, type HostKind, Rig, TOKEN } from './machine';

interface Observed {
  result: RunResult;
  files: Record<string, string>;
  calls: string[];
}

async function observe(kind: HostKind, { script, parameters = {}, given, afterwards }: Case): Promise<Observed> {
  const rig = await Rig.start(kind);
  try {
    await rig.prepared();
    rig.k3s.calls.length = 0;
    given?.(rig);
    const environment = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`SSM_${name}`, value]));
    const result = await rig.run(renderScript(script), environment);
    afterwards?.(rig);
    return { result, files: rig.snapshot(), calls: rig.k3s.calls };
  } finally {
    await rig.close();
  }
}

afterAll(cleanUp);

const lastLine = (stdout: string): unknown => {
  const line = stdout.trimEnd().split('\n').at(-1);
  return line ? JSON.parse(line) : undefined;
};

describe.each(['start-server', 'report-status', 'remove-member', 'apply-manifests'] as const)('%s', (script) => {
  test.each(CASES.filter((candidate) => candidate.script === script).map((candidate) => [candidate.name, candidate]))(
    '%s',
    async (_name, subject) => {
      const bash = await observe('bash', subject);
      const twin = await observe('twin', subject);
      for (const { result, calls } of [bash, twin]) {
        expect({ exitCode: result.exitCode, stderr: result.stderr }).toEqual({
          exitCode: subject.exitCode,
          stderr: subject.stderr ? expect.stringMatching(subject.stderr) : expect.anything(),
        });
        expect(lastLine(result.stdout)).toEqual(subject.output);
        if (subject.calls) expect(calls).toEqual(subject.calls);
        expect(`${result.stdout}${result.stderr}`).not.toContain(TOKEN);
      }
      expect(lastLine(twin.result.stdout)).toEqual(lastLine(bash.result.stdout));
      expect(twin.files).toEqual(bash.files);
      expect(twin.calls).toEqual(bash.calls);
    },
  );
});

test('the join token is for root only', async () => {
  const rig = await Rig.start('bash');
  try {
    await rig.prepared();
    rig.aws.token = 'another-token';
    await rig.run(renderScript('start-server'), { SSM_mode: 'init' }, 20);
    const { stdout } = await rig.run('#!/bin/bash\nls -l "$NODE_ROOT/etc/rancher/k3s/cluster-token"\n');
    expect(stdout).toMatch(/^-rw-------/);
  } finally {
    await rig.close();
  }
});

test.each(['bash', 'twin'] as const)('%s: no command changes anything before user data has finished', async (kind) => {
  const rig = await Rig.start(kind);
  try {
    await rig.boot({ userData: '' });
    const before = rig.snapshot();
    for (const script of ['start-server', 'remove-member', 'apply-manifests']) {
      const environment = {
        SSM_mode: 'init',
        SSM_nodeName: 'i-0dead000000000000',
        SSM_manifestsUri: 's3://a/b',
        SSM_manifestsSha256: '0',
      };
      const { exitCode, stderr } = await rig.run(renderScript(script), environment);
      expect({ exitCode, stderr }).toEqual({ exitCode: 75, stderr: 'try again: user data has not finished\n' });
    }
    const { exitCode, stdout } = await rig.run(renderScript('report-status'));
    expect({ exitCode, said: lastLine(stdout) }).toMatchObject({ exitCode: 0, said: { k3s: 'preparing' } });
    expect({ files: rig.snapshot(), calls: rig.k3s.calls }).toEqual({ files: before, calls: [] });
  } finally {
    await rig.close();
  }
});
