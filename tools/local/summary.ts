/** What a person sees when the cluster stands, and what a program gets with `--json`. */
import type { Denial } from '../../local/aws/iam';
import type { ClusterState } from '../../local/state';

/** How the execution went; times in seconds. */
export interface Result {
  status: string;
  error?: string;
  cause?: string;
  /** Of AWS time, from the start of the execution to its end. */
  simulatedSeconds: number;
  /** Of real time, the same. */
  seconds: number;
  transitions: number;
  lambdaInvocations: number;
  awsEndpoint: string;
  /** Of the demo, through the load balancer. */
  url: string;
  /** How the demo answered; null: not asked. */
  traffic: { ok: boolean; status: number | null; node: string | null } | null;
  /** What the policies of the stack did not allow. */
  denials: readonly Denial[];
  state: ClusterState;
}

/** The one JSON object of `--json`. */
export function toJson({ state, traffic, ...result }: Result): string {
  const servers = state.servers.map(({ instanceId, slot, availabilityZone, privateIp, ready, etcdVoter }) => ({
    instanceId,
    slot,
    availabilityZone,
    privateIp,
    ready,
    etcdVoter,
  }));
  const targetGroups = state.targetGroups.map(({ name, port, healthy, unhealthy }) => ({
    name,
    port,
    healthy,
    unhealthy,
  }));
  return JSON.stringify({ ...result, servers, targetGroups, traffic });
}

/** The calls that were denied, for whoever wrote the policies. */
export function deniedCalls(denials: readonly Denial[]): string {
  const lines = denials.map(({ message, times }) => `  ${message}${times > 1 ? ` (${times} times)` : ''}`);
  return [`${denials.length} kinds of calls were denied by the stack's policies:`, ...lines].join('\n');
}

/** The servers and their targets, as a table. */
function serversTable({ servers, targetGroups }: ClusterState): string {
  const rows = servers.map(({ slot, instanceId, availabilityZone, privateIp, ready, etcdVoter }) => [
    slot === null ? '?' : `server-${slot}`,
    instanceId,
    availabilityZone,
    privateIp,
    ready ? 'Ready' : 'NotReady',
    etcdVoter ? 'voter' : 'no voter',
  ]);
  const table = align([['server', 'instance', 'zone', 'address', 'node', 'etcd'], ...rows]);
  const groups = targetGroups.map(({ name, healthy, unhealthy }) => `${name} ${healthy} of ${healthy + unhealthy}`);
  return `${table}\n\n  healthy targets: ${groups.join(' · ')}`;
}

/** What the commands name that a person may want next. */
export interface Next {
  /** Of the stack. */
  outputs: Record<string, string>;
  region: string;
  /** Where the demo answers; undefined: under any name. */
  domain: string | undefined;
}

/**
 * What is said when the cluster stands: its servers, who answered, and what to do with it.
 * @param next null: the embedded AWS ends now, so that there is nothing to do with it
 */
export function success(result: Pick<Result, 'awsEndpoint' | 'url' | 'traffic' | 'state'>, next: Next | null): string {
  const answer = `  ${result.url} answered from ${result.traffic?.node ?? 'an unnamed node'}`;
  return [serversTable(result.state), answer, ...(next === null ? [] : ['', nextSteps(result, next)])].join('\n');
}

/** The commands that a person may want next, to be copied as they are. */
function nextSteps(
  { awsEndpoint, url }: Pick<Result, 'awsEndpoint' | 'url'>,
  { outputs, region, domain }: Next,
): string {
  const { port } = new URL(awsEndpoint);
  const flag = port === '4566' ? '' : ` --port ${port}`;
  const heal = `--state-machine-arn ${outputs.StateMachineArn}`;
  const end = `--state-machine-arn ${outputs.DeleteStateMachineArn} --input '{"confirm":"${outputs.ClusterName}"}'`;
  return [
    'Try it:',
    `  curl ${domain === undefined ? '' : `--header 'Host: ${domain}' `}${url}`,
    `  curl ${awsEndpoint}/_local/state`,
    'Break it, in another terminal:',
    `  npm run fault -- kill server-1${flag}`,
    `  npm run explain${flag && ` --${flag}`}`,
    'It is AWS:',
    `  export AWS_ENDPOINT_URL=${awsEndpoint} AWS_DEFAULT_REGION=${region} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local`,
    "  aws ec2 describe-instances --query 'Reservations[].Instances[].[InstanceId,State.Name]' --output text",
    `  aws stepfunctions start-execution ${heal}`,
    `  aws stepfunctions start-execution ${end}`,
  ].join('\n');
}

function align(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .join('\n');
}
