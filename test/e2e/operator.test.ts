/**
 * The tools as an operator runs them on AWS: own processes that find region, credentials and endpoint as the AWS CLI does,
 * here with a profile whose endpoint is the embedded AWS. To them it is an account.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScaledClock } from '../../local/clock';
import { boot, type EmbeddedAws } from '../../local/embedded';
import { assembly } from '../support/assembly-path';
import { InProcessRuntime } from '../support/in-process-runtime';

const ROOT = join(__dirname, '../..');
const ACCOUNT = ['--stack', 'k3s-demo', '--region', 'eu-west-3'];

// A dozen processes, each of which loads the SDK.
jest.setTimeout(300_000);

let aws: EmbeddedAws;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'k3s-ha-operator-'));
  aws = await boot({
    assembly: assembly(),
    clock: new ScaledClock(60),
    seed: 1,
    port: 0,
    runtime: (surroundings) => new InProcessRuntime(surroundings),
  });
  writeFileSync(join(directory, 'config'), `[default]\nregion = us-east-1\nendpoint_url = ${aws.url}\n`);
  writeFileSync(
    join(directory, 'credentials'),
    '[default]\naws_access_key_id = AKIAOPERATOR\naws_secret_access_key = secret\n',
  );
});

afterAll(async () => {
  await aws.close();
  rmSync(directory, { recursive: true });
});

/** Runs a tool of package.json to its end. */
function run(tool: string, ...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { PATH = '', HOME = directory } = process.env;
  const env = {
    PATH,
    HOME,
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
  };
  const child = spawn(process.execPath, ['--import', 'tsx', `tools/${tool}.ts`, ...flags], { cwd: ROOT, env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

it('before anything was created, explain says so and nothing can be paused', async () => {
  expect(await run('explain', ...ACCOUNT)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/was never created/),
  });
  expect(await run('pause', ...ACCOUNT)).toMatchObject({ code: 1, stderr: expect.stringMatching(/was never created/) });
});

it('explain, pause, resume and kubeconfig work on a cluster', async () => {
  const { StateMachineArn = '' } = aws.stack.outputs;
  await aws.services.states.ended(aws.services.states.start(StateMachineArn, '{}').arn);

  const explained = await run('explain', ...ACCOUNT);
  expect(explained).toMatchObject({ code: 0, stderr: '' });
  expect(explained.stdout).toContain('your AWS account, eu-west-3');
  expect(await run('pause', ...ACCOUNT)).toMatchObject({ code: 0, stdout: expect.stringMatching(/is paused/) });
  expect((await run('explain', ...ACCOUNT)).stdout).toMatch(/paused/);
  expect(await run('resume', ...ACCOUNT)).toMatchObject({ code: 0, stdout: expect.stringMatching(/is on/) });

  const kubeconfig = await run('kubeconfig', ...ACCOUNT, '--commands');
  expect(kubeconfig).toMatchObject({ code: 0, stderr: '' });
  expect(kubeconfig.stdout).toMatch(/aws ssm start-session .*--target i-[0-9a-f]{17}/);
});

it('destroy asks first, then deletes the cluster and shows how', async () => {
  expect(await run('destroy', ...ACCOUNT, '--keep-stack')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--yes/),
  });
  const destroyed = await run('destroy', ...ACCOUNT, '--keep-stack', '--yes');
  expect(destroyed).toMatchObject({ code: 0, stderr: '' });
  expect(destroyed.stdout).toMatch(/retire +server-0 +terminated and removed/);
  expect(destroyed.stdout).toMatch(/the cluster is deleted\n$/);
  expect(aws.state().servers).toEqual([]);
});

it('a stack that is not there is named', async () => {
  expect(await run('explain', '--stack', 'k3s-other', '--region', 'eu-west-3')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/k3s-other-assess-cluster: is the stack deployed\?/),
  });
});
