/** `npm run local`: a cluster on an embedded AWS, with the artifacts that would be deployed. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Config } from '../infra/config';
import { namesOf } from '../infra/names';
import { ScaledClock } from '../local/clock';
import { boot, type EmbeddedAws } from '../local/embedded';
import { AddressInUse } from '../local/wire/listen';
import { UsageError, type Values } from './arguments';
import { makeAssembly } from './assembly';
import { FLAGS } from './local/flags';
import { type HistoryEvent, Progress } from './local/progress';
import { createScreen, duration } from './local/screen';
import { deniedCalls, type Result, success, toJson } from './local/summary';
import { type Visit, visitOf } from './local/traffic';
import { Watch } from './local/watch';
import { runTool } from './run';

const ROOT = join(__dirname, '..');
const RUNTIME = join(ROOT, '.local');

/** So long whoever leaves at once waits for the mail about the creation, of AWS time. */
const MAIL_WITHIN_S = 60;

const TOOL = {
  name: 'local',
  purpose: 'Builds a cluster on an embedded AWS: no account, no Docker, no root.',
  flags: FLAGS,
};
type Flags = Values<typeof FLAGS>;

/** Ctrl-C, or the end of the terminal. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

async function main(flags: Flags): Promise<number> {
  if (process.platform !== 'linux') {
    throw new UsageError(`the embedded AWS runs on Linux (WSL2 included), this is ${process.platform}`);
  }
  const interrupted = interruption();
  const runtime = makeRuntime();
  try {
    return await run(flags, runtime, interrupted);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    console.error('\nstopped');
    return 0;
  } finally {
    rmSync(runtime, { recursive: true, force: true });
  }
}

/** This process's own directory below `.local`; what processes that were killed left there is removed. */
function makeRuntime(): string {
  const own = join(RUNTIME, String(process.pid));
  try {
    mkdirSync(own, { recursive: true });
    const left = readdirSync(RUNTIME).filter((name) => /^\d+$/.test(name) && !isAlive(Number(name)));
    for (const pid of left) rmSync(join(RUNTIME, pid), { recursive: true });
  } catch (error) {
    throw new UsageError(`cannot use ${RUNTIME}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return own;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It exists and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function run(flags: Flags, runtime: string, interrupted: Promise<never>): Promise<number> {
  const output = flags.json ? process.stderr : process.stdout;
  const say = (text: string) => output.write(`${text}\n`);
  const making = makeAssembly(runtime);
  const { config, assembly } = await Promise.race([making, interrupted]).catch(async (error: unknown) => {
    // What is being written must have been written before it is removed.
    await making.catch(() => {});
    throw error;
  });
  const aws = await boot({
    assembly,
    clock: new ScaledClock(flags.timeScale),
    seed: process.pid,
    region: config.region,
    zones: config.network.availabilityZones,
    port: flags.port,
    directory: runtime,
  }).catch((error: unknown) => {
    const taken = causeOf(error, AddressInUse);
    if (!taken) throw error;
    throw new UsageError(`${taken.message}: does another "npm run local" run? --port 0 takes any free ports`);
  });
  try {
    say(`k3s-ha-aws · cluster "${config.name}" · embedded AWS at ${aws.url} (${flags.timeScale}× AWS time)\n`);
    const result = await Promise.race([create(aws, config, flags, output), interrupted]);
    say(`  modelled AWS time ${duration(result.simulatedSeconds * 1000)} · wall ${result.seconds.toFixed(1)} s\n`);
    const ok =
      result.status === 'SUCCEEDED' && result.traffic?.ok === true && isWhole(result) && result.denials.length === 0;
    // Whoever leaves at once has nothing to try it on.
    const next = flags.once ? null : { outputs: aws.stack.outputs, region: aws.world.region, domain: config.domain };
    say(ok ? success(result, next) : failure(result));
    if (result.denials.length > 0) say(`\n${deniedCalls(result.denials)}`);
    if (flags.json) process.stdout.write(`${toJson(result)}\n`);
    if (flags.once || !ok) return ok ? 0 : 1;
    say('\nIt keeps running, and what happens is shown below: press Ctrl-C to stop everything.\n');
    return await keepWatching(aws, config, output, interrupted);
  } finally {
    await aws.close();
  }
}

/** The error of a kind among an error and its causes. */
function causeOf<T extends Error>(error: unknown, kind: new (...given: never[]) => T): T | undefined {
  if (error instanceof kind) return error;
  return error instanceof Error && error.cause !== undefined ? causeOf(error.cause, kind) : undefined;
}

/**
 * Shows what happens until somebody has had enough.
 * @returns the exit code: 1 when calls were denied meanwhile
 */
async function keepWatching(
  aws: EmbeddedAws,
  config: Config,
  output: NodeJS.WriteStream,
  interrupted: Promise<never>,
): Promise<number> {
  const watch = new Watch({
    aws,
    servers: config.servers,
    visit: visitOf(config),
    stack: namesOf(config.name).stack,
    output,
    input: process.stdin,
  });
  try {
    await Promise.race([watch.quit, interrupted]);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    watch.stop();
  }
  const { denials } = aws.services.iam.authority;
  if (denials.length > 0) output.write(`\n${deniedCalls(denials)}\n`);
  console.error('\nstopped');
  return denials.length > 0 ? 1 : 0;
}

/** Starts the workflow, shows its progress and asks the demo for its page. */
async function create(aws: EmbeddedAws, config: Config, flags: Flags, output: NodeJS.WriteStream): Promise<Result> {
  const { states, lambda, elbv2 } = aws.services;
  const { clock } = aws.world;
  const started = { real: Date.now(), aws: clock.now() };
  const progress = new Progress();
  const screen = createScreen(output);
  const refresh = output.isTTY ? setInterval(() => screen.show(progress.rows, [], clock.now()), 100) : undefined;
  const unsubscribe = states.onHistory((_execution, event) => {
    const changed = progress.take(event);
    if (changed.length > 0) screen.show(progress.rows, changed, clock.now());
  });
  const execution = states.start(aws.stack.outputs.StateMachineArn!, JSON.stringify(flags.input));
  await states.ended(execution.arn);
  unsubscribe();
  clearInterval(refresh);
  screen.show(progress.rows, progress.end(clock.now()), clock.now());
  screen.finish(progress.rows, clock.now());

  const { status, error, cause, transitions } = execution;
  const url = elbv2.urls().get(80);
  if (!url) throw new Error('the load balancer has no listener on port 80');
  const simulatedSeconds = Math.round((clock.now() - started.aws) / 100) / 10;
  const seconds = Math.round((Date.now() - started.real) / 10) / 100;
  const traffic = status === 'SUCCEEDED' ? await ask(url, visitOf(config)) : null;
  if (flags.once) await mailed(aws);
  return {
    status,
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause: `${cause}${failedFunction(execution.history)}` }),
    simulatedSeconds,
    seconds,
    transitions,
    lambdaInvocations: lambda.counters.invocations,
    awsEndpoint: aws.url,
    url,
    traffic,
    denials: aws.services.iam.authority.denials,
    state: aws.state(),
  };
}

/** What came of it is mailed when the execution has ended: until then a call may still be denied. */
async function mailed({ world: { clock }, services: { sns, iam } }: EmbeddedAws): Promise<void> {
  for (let seconds = 0; seconds < MAIL_WITHIN_S; seconds++) {
    if (sns.inbox.length > 0 || iam.authority.denials.length > 0) return;
    await clock.sleep(1000);
  }
}

/** The function that the last failed task had called: a state's name does not always tell it. */
function failedFunction(history: readonly HistoryEvent[]): string {
  let event = history.findLast(({ type }) => type === 'TaskFailed');
  while (event && event.type !== 'TaskScheduled') {
    const { previousEventId } = event;
    event = history.find(({ id }) => id === previousEventId);
  }
  const name = /"FunctionName":"[^"]*:function:([^":]+)/.exec(
    String(event?.details.taskScheduledEventDetails?.parameters),
  )?.[1];
  return name ? ` (function ${name})` : '';
}

/** One request through the load balancer. */
function ask(url: string, { headers, status: expected }: Visit): Promise<NonNullable<Result['traffic']>> {
  const silent = { ok: false, status: null, node: null };
  return new Promise((resolve) => {
    const request = get(url, { timeout: 5000, agent: false, headers }, (response) => {
      let page = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        page += chunk;
      });
      response.on('close', () => resolve(silent));
      response.on('end', () => {
        const status = response.statusCode ?? null;
        resolve({ ok: status === expected, status, node: /i-[0-9a-f]{8,17}/.exec(page)?.[0] ?? null });
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(silent));
  });
}

const isWhole = ({ state }: Result) =>
  state.servers.length > 0 && state.servers.every(({ ready, etcdVoter }) => ready && etcdVoter);

function failure({ status, error, cause, traffic, url, denials }: Result): string {
  if (status === 'SUCCEEDED' && traffic && !traffic.ok) {
    return `the cluster was built, but ${url} ${traffic.status === null ? 'did not answer' : `answered ${traffic.status}`}`;
  }
  if (status === 'SUCCEEDED' && denials.length === 0) {
    return 'the execution succeeded, but not every server is Ready and a voter';
  }
  if (status === 'SUCCEEDED') return 'the execution succeeded, but calls were denied';
  return `the execution ${status === 'FAILED' ? 'failed' : `ended ${status}`}: ${error ?? 'no error'}: ${cause ?? 'no cause'}`;
}

/** One Ctrl-C arrives more than once: from the terminal, and passed on by npm. */
const RELAYED_MS = 1000;

/** Rejects with Interrupted on SIGINT, SIGTERM or SIGHUP. A second Ctrl-C, a second later, ends the process at once. */
function interruption(): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    let first: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        first ??= Date.now();
        if (Date.now() - first > RELAYED_MS) process.exit(130);
        reject(new Interrupted());
      });
    }
  });
  promise.catch(() => {});
  return promise;
}

runTool(TOOL, main);
