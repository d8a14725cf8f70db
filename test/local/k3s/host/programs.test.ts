import { VirtualClock } from '../../../../local/clock';
import type { UrlAnswer } from '../../../../local/k3s/command';
import { MemoryFiles } from '../../../../local/k3s/host/disk';
import type { HostOptions } from '../../../../local/k3s/host/options';
import { programs } from '../../../../local/k3s/host/programs';
import { Latency } from '../../../../local/latency';
import { Random } from '../../../../local/random';
import { ConnectionLost } from '../../../../local/wire/http';
import { FakeAws, MANIFESTS, SPEC, TOKEN } from '../../../nodes/machine';

function machine(answer?: UrlAnswer, endpoint?: HostOptions['endpoint'], online?: HostOptions['online']) {
  const clock = new VirtualClock();
  const aws = new FakeAws();
  const files = new MemoryFiles();
  const table = programs({
    clock,
    latency: new Latency(new Random(1)),
    endpoint: endpoint ?? aws.endpoint,
    ...(online ? { online } : {}),
    commands: {},
    urls: async () => answer,
    events: { onBoot() {}, onKill() {}, onFreeze() {}, onErase() {} },
    log() {},
  });
  const execute = async () => ({ exitCode: 127, stdout: '', stderr: '' });
  const context = { spec: SPEC, files, signal: new AbortController().signal, execute };
  const run = (line: string) => {
    const [program = '', ...args] = line.split(' ');
    return clock.until(table[program]!(context, args, ''));
  };
  return { run, clock, aws, files };
}

describe('a machine that is cut off', () => {
  const cutOff = () => machine(undefined, undefined, () => false);

  test('does not reach AWS', async () => {
    const { run, clock } = cutOff();
    const before = clock.now();
    const get = 'aws secretsmanager get-secret-value --region eu-west-3 --secret-id token';
    expect(await run(`${get} --query SecretString --output text`)).toMatchObject({ exitCode: 255, stdout: '' });
    expect(clock.now() - before).toBeGreaterThanOrEqual(3 * 60_000);
  });

  test('does not reach the internet, but its own metadata service', async () => {
    const { run } = cutOff();
    const url = 'https://github.com/k3s-io/k3s/releases/download/v1.33.5%2Bk3s1/sha256sum-arm64.txt';
    expect(await run(`curl --fail --location --connect-timeout 10 ${url}`)).toMatchObject({ exitCode: 28 });
    expect(await run('curl http://169.254.169.254/latest/meta-data/instance-id')).toMatchObject({ exitCode: 0 });
  });
});

describe('curl', () => {
  const IMDS = 'http://169.254.169.254/latest';
  const PEER = 'https://127.77.1.2:6443/ping';
  const body = 'pong';

  test('the metadata service answers nothing without a token', async () => {
    const { run } = machine();
    expect(await run(`curl --silent --fail ${IMDS}/meta-data/instance-id`)).toMatchObject({ exitCode: 22, stdout: '' });
  });

  test('a token opens the metadata service until it expires', async () => {
    const { run, clock } = machine();
    const header = 'X-aws-ec2-metadata-token-ttl-seconds:60';
    const { stdout: token } = await run(`curl --request PUT --header ${header} ${IMDS}/api/token`);
    const get = `curl --fail --header X-aws-ec2-metadata-token:${token} ${IMDS}/meta-data/instance-id`;
    expect(await run(get)).toEqual({ exitCode: 0, stdout: SPEC.instanceId, stderr: '' });
    await clock.advance(60_000);
    expect((await run(get)).exitCode).toBe(22);
  });

  test('a release is behind a redirect', async () => {
    const { run, files } = machine();
    const url = 'https://github.com/k3s-io/k3s/releases/download/v1.33.5%2Bk3s1/sha256sum-arm64.txt';
    expect(await run(`curl ${url}`)).toMatchObject({ exitCode: 0, stdout: '' });
    await run(`curl --location --output /tmp/sums ${url}`);
    expect(files.read('/tmp/sums')).toMatch(/^[0-9a-f]{64} {2}k3s-arm64\n$/);
  });

  test("K3s' certificate is not trusted unless told so", async () => {
    const { run } = machine({ status: 200, body });
    expect((await run(`curl ${PEER}`)).exitCode).toBe(60);
    expect(await run(`curl --insecure ${PEER}`)).toEqual({ exitCode: 0, stdout: 'pong', stderr: '' });
  });

  test.each([
    [{ status: 503, body }, '--fail --insecure', 22, 0],
    [{ status: 503, body }, '--insecure', 0, 0],
    ['refused', '', 7, 0],
    ['unreachable', '--connect-timeout 7 --max-time 20', 28, 7000],
    ['unreachable', '--max-time 4', 28, 4000],
  ] as const)('%j with "%s" exits %i', async (answer, flags, exitCode, waited) => {
    const { run, clock } = machine(answer);
    const start = clock.now();
    expect((await run(`curl ${flags} ${PEER}`.replace('  ', ' '))).exitCode).toBe(exitCode);
    expect(clock.now() - start).toBe(waited);
  });

  test('an answer that takes too long is given up', async () => {
    const { run } = machine();
    const url = 'https://github.com/k3s-io/k3s/releases/download/v1.33.5%2Bk3s1/k3s-arm64';
    expect((await run(`curl --location --max-time 1 --output /tmp/k3s ${url}`)).exitCode).toBe(28);
  });

  test('an unknown option or URL is refused by name', async () => {
    const { run } = machine();
    expect(await run('curl --compressed x https://a/')).toMatchObject({
      exitCode: 2,
      stderr: 'curl: option --compressed: is unknown\n',
    });
    expect((await run('curl --silent https://example.org/')).stderr).toContain('https://example.org/');
  });
});

describe('aws', () => {
  const SECRET = 'aws secretsmanager get-secret-value --region eu-west-3 --query SecretString --output text';
  const COPY = 'aws s3 cp s3://assets/manifests.yaml /tmp/m --region eu-west-3 --only-show-errors';

  test("reads a secret with the node's own credentials", async () => {
    const { run, aws } = machine();
    expect(await run(`${SECRET} --secret-id k3s-demo/token`)).toEqual({
      exitCode: 0,
      stdout: `${TOKEN}\n`,
      stderr: '',
    });
    expect(aws.scopes).toEqual(['ASIANODE/20260101/eu-west-3/secretsmanager/aws4_request']);
  });

  test('says what AWS said', async () => {
    const { run } = machine();
    const { exitCode, stderr } = await run(`${SECRET} --secret-id other`);
    expect(exitCode).toBe(254);
    expect(stderr).toContain('(ResourceNotFoundException) when calling the GetSecretValue operation');
  });

  test('copies an object from S3', async () => {
    const { run, files } = machine();
    expect((await run(COPY)).exitCode).toBe(0);
    expect(files.read('/tmp/m')).toBe(MANIFESTS);
  });

  test('a lost answer is asked for again, thrice in all', async () => {
    let calls = 0;
    const { run } = machine(undefined, async () => {
      calls++;
      throw new ConnectionLost();
    });
    expect((await run(COPY)).exitCode).toBe(255);
    expect(calls).toBe(3);
  });

  test.each([
    'aws ec2 describe-instances',
    `${SECRET} --version-stage X --secret-id a`,
    'aws s3 cp /tmp/m s3://assets/x --region eu-west-3',
  ])('%s is refused', async (line) => {
    expect((await machine().run(line)).exitCode).toBe(252);
  });
});

describe('the small ones', () => {
  test('uname names the architecture as Linux does', async () => {
    expect((await machine().run('uname -m')).stdout).toBe('aarch64\n');
  });

  test('sleep and date live on the clock', async () => {
    const { run } = machine();
    await run('sleep 90');
    expect((await run('date +%s')).stdout).toBe(`${Date.UTC(2026, 0, 1, 0, 1, 30) / 1000}\n`);
  });

  test('sysctl refuses a file that is not one', async () => {
    const { run, files } = machine();
    files.write('/etc/sysctl.d/x.conf', 'vm.panic_on_oom = 0\nnonsense\n');
    expect(await run('sysctl --quiet --load=/etc/sysctl.d/x.conf')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nonsense'),
    });
  });

  test.each(['date', 'sleep 1 2', 'sysctl -w a=b', 'uname -a'])('%s is refused', async (line) => {
    expect((await machine().run(line)).exitCode).toBe(2);
  });
});
