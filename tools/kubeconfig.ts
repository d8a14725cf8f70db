/**
 * `npm run kubeconfig`: a kubeconfig with which kubectl reaches the cluster from here, without a bastion and without SSH.
 * The administrator's key travels through Session Manager's data channel only: docs/adr/007-operator-access.md.
 */
import { join, relative } from 'node:path';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Config, loadConfig } from '../infra/config';
import { namesOf } from '../infra/names';
import { matching, number, switched, text, UsageError, type Values } from './arguments';
import { balancerUrl, fetchKubeconfig } from './kubeconfig/embedded';
import { kubeconfigFor, writeSecret } from './kubeconfig/file';
import { findServer, type Server } from './kubeconfig/servers';
import * as session from './kubeconfig/session';
import { runTool, ToolError } from './run';
import { findTarget, TARGET_FLAGS, type Target } from './target';

const API_PORT = 6443;

const TOOL = {
  name: 'kubeconfig',
  purpose: 'Writes a kubeconfig with which kubectl reaches the cluster from here.',
  flags: {
    ...TARGET_FLAGS,
    print: switched('to the standard output instead of a file'),
    output: text<string | undefined>(
      'FILE',
      'to this file (default .local/kubeconfig-<cluster>.yaml)',
      undefined,
      String,
    ),
    server: matching(
      'NAME',
      'through this server, healthy or not (default: one whose API is healthy)',
      /^(server-\d+|i-[0-9a-f]{8,17})$/,
      'server-<number> or an instance id',
    ),
    balancer: switched('through the load balancer (default where cluster.json has apiCidrs)'),
    localPort: number('N', 'port of this machine that is forwarded', API_PORT, { from: 1, to: 65535, integer: true }),
    forward: switched('then forward the port until Ctrl-C (your account only)'),
    commands: switched('print the AWS CLI commands instead of running them (your account only)'),
    evenIfLogged: switched('although your account records sessions, and with them the key'),
  },
};
type Flags = Values<typeof TOOL.flags>;

/** What became of it, for people and for tests. */
export interface Access {
  server: Server;
  /** The API as this machine reaches it. */
  url: string;
  kubeconfig: string;
  /** What has to run while kubectl is used; undefined when nothing has to. */
  forward?: string[];
}

interface Session {
  run: session.RunSession;
  log: typeof session.sessionLog;
}

/**
 * Fetches the kubeconfig.
 * @param config of this checkout: whether the load balancer admits anybody
 * @throws ToolError when no server can give it, or a session would record it
 */
export async function access(
  target: Target,
  flags: Pick<Flags, 'server' | 'balancer' | 'localPort' | 'evenIfLogged'>,
  config: Pick<Config, 'apiCidrs' | 'region'>,
  sessions: Session = { run: session.captureSession, log: session.sessionLog },
): Promise<Access> {
  const balanced = throughBalancer(flags, config);
  const server = await findServer(target, flags.server);
  const { cluster, instanceId, privateIp } = server;
  if (target.kind === 'embedded') {
    const endpoint = String(target.client.endpoint);
    const url = balanced ? await balancerUrl(endpoint) : `https://${privateIp}:${API_PORT}`;
    return { server, url, kubeconfig: kubeconfigFor(await fetchKubeconfig(endpoint, instanceId), cluster, url) };
  }
  if (!flags.evenIfLogged) await refuseIfLogged(target, sessions.log);
  const through = { instanceId, region: regionOf(target) };
  const url = balanced ? await balancerName(target, cluster) : `https://127.0.0.1:${flags.localPort}`;
  const printed = session.kubeconfigIn(await sessions.run(session.fetchCommand(through)));
  const kubeconfig = kubeconfigFor(printed, cluster, url);
  return balanced
    ? { server, url, kubeconfig }
    : { server, url, kubeconfig, forward: session.forwardCommand(through, flags.localPort) };
}

function throughBalancer(
  { balancer, server }: Pick<Flags, 'balancer' | 'server'>,
  { apiCidrs }: Pick<Config, 'apiCidrs'>,
) {
  if (balancer && apiCidrs.length === 0) {
    throw new UsageError(
      '--balancer: apiCidrs in cluster.json is empty, so the load balancer admits nobody to the API',
    );
  }
  // Whoever names a server wants to talk to that one.
  return balancer || (apiCidrs.length > 0 && server === undefined);
}

async function refuseIfLogged({ client }: Target, log: typeof session.sessionLog): Promise<void> {
  const where = await log(client).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError(`cannot tell whether your account records sessions (${reason}): ${ANYWAY}`);
  });
  if (where === null) return;
  throw new ToolError(`your account records what sessions print in ${where}, and this one prints a key: ${ANYWAY}`);
}

const ANYWAY = 'turn it off, use --even-if-logged, or see docs/adr/007-operator-access.md';

const regionOf = ({ client: { region } }: Target) => (typeof region === 'string' ? region : undefined);

/** A name in the API's certificate: `tls-san` of every server. */
async function balancerName({ client }: Target, cluster: string): Promise<string> {
  const Names = [namesOf(cluster).loadBalancer];
  const { LoadBalancers = [] } = await new ElasticLoadBalancingV2Client(client).send(
    new DescribeLoadBalancersCommand({ Names }),
  );
  const name = LoadBalancers[0]?.DNSName;
  if (name === undefined) throw new ToolError(`the load balancer ${Names[0]} has no name`);
  return `https://${name}:${API_PORT}`;
}

/** The commands alone, for whoever runs them elsewhere. */
async function commands(target: Target, { server, localPort }: Flags): Promise<string> {
  if (target.kind === 'embedded') throw new UsageError('--commands: the embedded AWS has no Session Manager');
  const { instanceId, name } = await findServer(target, server);
  const through = { instanceId, region: regionOf(target) };
  return [
    `# the administrator's kubeconfig of ${name}: set server to https://127.0.0.1:${localPort}`,
    session.shellWords(session.fetchCommand(through)),
    '# the API on this machine, while it runs',
    session.shellWords(session.forwardCommand(through, localPort)),
    `# a shell on ${name}: sudo kubectl, crictl and ctr are there`,
    session.shellWords(session.shellCommand(through)),
  ].join('\n');
}

/** How to go on. */
export function advice({ server, url, forward }: Access, file: string): string {
  const { name, instanceId, availabilityZone } = server;
  return [
    `${file} · ${url} · fetched from ${name} ${instanceId}${availabilityZone ? ` (${availabilityZone})` : ''}`,
    '  whoever has this file is administrator of the cluster: delete it when you are done',
    ...(forward ? ['  while you work, in another terminal:', `    ${session.shellWords(forward)}`] : []),
    `  kubectl --kubeconfig ${file} get nodes,pods,ingress -A`,
  ].join('\n');
}

async function main(flags: Flags): Promise<number> {
  const root = join(__dirname, '..');
  const config = loadConfig(join(root, 'cluster.json'));
  const target = await findTarget(flags, { stack: namesOf(config.name).stack, region: config.region });
  if (flags.commands) {
    console.log(await commands(target, flags));
    return 0;
  }
  const granted = await access(target, flags, config);
  if (flags.print) {
    process.stdout.write(granted.kubeconfig);
  } else {
    const path = flags.output ?? join(root, '.local', `kubeconfig-${granted.server.cluster}.yaml`);
    writeSecret(path, granted.kubeconfig);
    const near = relative(process.cwd(), path);
    console.log(advice(granted, near.startsWith('..') ? path : near));
  }
  if (flags.forward && granted.forward) await session.attachSession(granted.forward);
  return 0;
}

if (require.main === module) runTool(TOOL, main);
