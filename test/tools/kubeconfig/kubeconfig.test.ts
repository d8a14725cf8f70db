import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  type TargetHealthStateEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetDocumentCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { parse, stringify } from 'yaml';
import { UsageError } from '../../../tools/arguments';
import { access, advice } from '../../../tools/kubeconfig';
import { kubeconfigFor, writeSecret } from '../../../tools/kubeconfig/file';
import { kubeconfigIn, sessionLog, shellWords } from '../../../tools/kubeconfig/session';
import type { Target } from '../../../tools/target';

const SECRET = Buffer.from('the key of the administrator').toString('base64');
const PUBLIC = Buffer.from('a certificate').toString('base64');

const K3S = stringify({
  apiVersion: 'v1',
  clusters: [{ cluster: { 'certificate-authority-data': PUBLIC, server: 'https://127.0.0.1:6443' }, name: 'default' }],
  contexts: [{ context: { cluster: 'default', user: 'default' }, name: 'default' }],
  'current-context': 'default',
  kind: 'Config',
  preferences: {},
  users: [{ name: 'default', user: { 'client-certificate-data': PUBLIC, 'client-key-data': SECRET } }],
});

/** What the plugin makes of it on a terminal. */
const printed = (text: string) =>
  `\r\nStarting session with SessionId: person-0a1b2c3d\r\n${text.replaceAll('\n', '\r\n')}\r\n\r\nExiting session with sessionId: person-0a1b2c3d.\r\n\r\n`;

describe('the file', () => {
  it('names the cluster and where its API is reached from here', () => {
    const config = parse(kubeconfigFor(K3S, 'demo', 'https://127.0.0.1:7443'));
    expect(config).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'k3s-demo', cluster: { 'certificate-authority-data': PUBLIC, server: 'https://127.0.0.1:7443' } },
      ],
      users: [{ name: 'k3s-demo', user: { 'client-certificate-data': PUBLIC, 'client-key-data': SECRET } }],
      contexts: [{ name: 'k3s-demo', context: { cluster: 'k3s-demo', user: 'k3s-demo' } }],
      'current-context': 'k3s-demo',
    });
  });

  it('is refused without showing what it holds', () => {
    const broken = K3S.replace('kind: Config', 'kind: Secret');
    expect(() => kubeconfigFor(broken, 'demo', 'https://a')).toThrow('no kubeconfig of K3s: wrong or missing: kind');
    try {
      kubeconfigFor(broken, 'demo', 'https://a');
    } catch (error) {
      expect(String(error)).not.toContain(SECRET);
    }
  });

  it('is readable for its owner only, whatever was there before', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
    const path = join(folder, 'below', 'config.yaml');
    writeSecret(path, 'one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    rmSync(path);
    writeFileSync(path, 'open to all', { mode: 0o644 });
    writeSecret(path, 'two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe('two');
    rmSync(folder, { recursive: true });
  });
});

describe('what a session prints', () => {
  it('is the file between the lines of the plugin', () => {
    expect(kubeconfigIn(printed(K3S))).toBe(K3S);
  });

  it('is told when it is something else', () => {
    expect(() => kubeconfigIn(printed('cat: /etc/rancher/k3s/k3s.yaml: No such file or directory'))).toThrow(
      'No such file or directory',
    );
    expect(() => kubeconfigIn('')).toThrow('the session ended without a kubeconfig: it printed nothing');
  });

  it('is asked for by a command that a person could type', () => {
    expect(shellWords(['aws', 'ssm', '--parameters', '{"command":["sudo cat /etc/x"]}'])).toBe(
      `aws ssm --parameters '{"command":["sudo cat /etc/x"]}'`,
    );
  });
});

describe('access to a cluster on AWS', () => {
  const lambda = mockClient(LambdaClient);
  const ec2 = mockClient(EC2Client);
  const elb = mockClient(ElasticLoadBalancingV2Client);
  const ssm = mockClient(SSMClient);

  const target: Target = {
    kind: 'account',
    description: 'your AWS account, eu-west-3',
    client: { region: 'eu-west-3', credentials: { accessKeyId: 'a', secretAccessKey: 's' } },
    stack: 'k3s-demo',
    now: () => 0,
    sleep: async () => {},
  };
  const nothing = { server: undefined, balancer: false, localPort: 6443, evenIfLogged: false };
  const closed = { apiCidrs: [], region: 'eu-west-3' };
  const open = { apiCidrs: ['203.0.113.0/24'], region: 'eu-west-3' };
  const commands: (readonly string[])[] = [];
  const run = async (command: readonly string[]) => {
    commands.push(command);
    return printed(K3S);
  };
  const sessions = { run, log: async () => null };
  const ids = ['i-00000000000000000', 'i-00000000000000001', 'i-00000000000000002'];

  function healthy(...states: TargetHealthStateEnum[]) {
    elb.on(DescribeTargetHealthCommand).resolves({
      TargetHealthDescriptions: states.map((State, index) => ({
        Target: { Id: ids[index], Port: 6443 },
        TargetHealth: { State },
      })),
    });
  }

  beforeEach(() => {
    for (const mock of [lambda, ec2, elb, ssm]) mock.reset();
    commands.length = 0;
    const group = (name: string) => `arn:aws:elasticloadbalancing:eu-west-3:1:targetgroup/k3s-demo-${name}/1`;
    const TARGET_GROUPS = ['http', 'https', 'api'].map(group).join(',');
    lambda.on(GetFunctionCommand).resolves({
      Configuration: { Environment: { Variables: { ...ENVIRONMENT, TARGET_GROUPS } } },
    });
    const tags = (slot: number) =>
      Object.entries({ 'k3s:cluster': 'demo', 'k3s:slot': slot, 'k3s:role': 'server', 'k3s:generation': 1 }).map(
        ([Key, Value]) => ({ Key, Value: String(Value) }),
      );
    ec2.on(DescribeInstancesCommand).resolves({
      Reservations: [
        {
          Instances: ids.map((InstanceId, slot) => ({
            InstanceId,
            State: { Name: 'running' },
            PrivateIpAddress: `10.20.0.${slot}`,
            InstanceType: 't3.medium',
            Placement: { AvailabilityZone: `eu-west-3${'abc'[slot]}` },
            Tags: tags(slot),
          })),
        },
      ],
    });
    elb.on(DescribeLoadBalancersCommand).resolves({
      LoadBalancers: [{ DNSName: 'k3s-demo-1.elb.eu-west-3.amazonaws.com' }],
    });
    healthy('unhealthy', 'healthy', 'healthy');
  });

  it('goes through a healthy server: a session fetches the file, a port is forwarded', async () => {
    const granted = await access(target, nothing, closed, sessions);
    expect(granted.url).toBe('https://127.0.0.1:6443');
    expect(parse(granted.kubeconfig).clusters[0].cluster.server).toBe('https://127.0.0.1:6443');
    expect(commands.map(shellWords)).toEqual([
      'aws ssm start-session --target i-00000000000000001 --region eu-west-3 --document-name AWS-StartInteractiveCommand ' +
        `--parameters '{"command":["sudo cat /etc/rancher/k3s/k3s.yaml"]}'`,
    ]);
    const text = advice(granted, 'kubeconfig.yaml');
    expect(text).toContain(
      'aws ssm start-session --target i-00000000000000001 --region eu-west-3 --document-name ' +
        `AWS-StartPortForwardingSession --parameters '{"portNumber":["6443"],"localPortNumber":["6443"]}'`,
    );
    expect(text).not.toContain(SECRET);
  });

  it('sends no command, so that the key is in no command history', async () => {
    await access(target, nothing, closed, sessions);
    expect(ssm.calls()).toEqual([]);
  });

  it('goes through the load balancer where it admits people', async () => {
    const granted = await access(target, nothing, open, sessions);
    expect(granted.url).toBe('https://k3s-demo-1.elb.eu-west-3.amazonaws.com:6443');
    expect(granted.forward).toBeUndefined();
    await expect(access(target, { ...nothing, balancer: true }, closed, sessions)).rejects.toThrow(UsageError);
  });

  it('goes through the server that a person names, healthy or not', async () => {
    const granted = await access(target, { ...nothing, server: 'server-0', localPort: 7443 }, open, sessions);
    expect(granted.server).toMatchObject({ instanceId: ids[0], health: 'unhealthy' });
    expect(granted.url).toBe('https://127.0.0.1:7443');
    await expect(access(target, { ...nothing, server: 'server-7' }, closed, sessions)).rejects.toThrow(
      '--server server-7 is not running; running are: server-0 (i-00000000000000000, unhealthy), ',
    );
  });

  it('is not had through a server that is not healthy', async () => {
    healthy('unhealthy', 'initial', 'draining');
    await expect(access(target, nothing, closed, sessions)).rejects.toThrow(
      'no server of cluster demo has a healthy API: server-0 (i-00000000000000000, unhealthy), server-1',
    );
  });

  it('is refused while sessions are recorded, unless a person insists', async () => {
    const log = async () => 's3://audit';
    await expect(access(target, nothing, closed, { run, log })).rejects.toThrow(
      'your account records what sessions print in s3://audit, and this one prints a key',
    );
    expect(commands).toEqual([]);
    await access(target, { ...nothing, evenIfLogged: true }, closed, { run, log });
    expect(commands).toHaveLength(1);
  });

  it('is refused while nobody can tell whether sessions are recorded', async () => {
    const log = () => Promise.reject(new Error('AccessDeniedException: not allowed'));
    await expect(access(target, nothing, closed, { run, log })).rejects.toThrow('cannot tell whether');
  });

  it.each([
    ['nowhere without preferences', Object.assign(new Error('none'), { name: 'InvalidDocument' }), null],
    ['nowhere with empty ones', { s3BucketName: '', cloudWatchLogGroupName: '' }, null],
    ['in a bucket', { s3BucketName: 'audit', cloudWatchLogGroupName: '' }, 's3://audit'],
    ['in a log group', { s3BucketName: '', cloudWatchLogGroupName: '/sessions' }, 'log group /sessions'],
  ])('knows that sessions are recorded %s', async (_, preferences, where) => {
    const answer = ssm.on(GetDocumentCommand, { Name: 'SSM-SessionManagerRunShell' });
    if (preferences instanceof Error) answer.rejects(preferences);
    else answer.resolves({ Content: JSON.stringify({ schemaVersion: '1.0', inputs: preferences }) });
    expect(await sessionLog(target.client)).toBe(where);
  });
});

/** As the template gives it to assess-cluster. */
const ENVIRONMENT = {
  CLUSTER: 'demo',
  TABLE: 'table',
  DOCUMENT_PREFIX: 'k3s-demo-',
  SERVERS: '3',
  K3S_VERSION: 'v1.35.8+k3s1',
};
