/** The execution environments of all functions: one per concurrent invocation, reused while warm. */
import type { Caller } from '../../credentials';
import { sessionArn } from '../iam/authority';
import type { World } from '../service';
import type { LambdaFunction } from './function';
import type { LambdaEnvironment, LambdaRuntime } from './runtime';

/** Warm environments kept in all; the longest unused is ended first. AWS keeps more, this machine cannot. */
const WARM_LIMIT = 32;

export interface Environment {
  environment: LambdaEnvironment;
  fn: LambdaFunction;
  /** The identity it calls AWS with; carries the hold of the invocation that runs. */
  caller: Caller;
  logStream: string;
  /** Whether the role lets Lambda write its log; what it may not write is lost. */
  mayLog: boolean;
  /** What the running invocation has written. */
  lines: string[];
  /** How long its cold start took, ms, until its first invocation has reported it. */
  coldStartMs: number | undefined;
}

export class Environments {
  /** Longest unused first. */
  private idle: Environment[] = [];
  private readonly busy = new Set<Environment>();
  private closed = false;
  coldStarts = 0;

  constructor(
    private readonly world: World,
    private readonly runtime: LambdaRuntime,
    private readonly endpointUrl: () => string,
    private readonly log: (environment: Environment, line: string) => void,
    private readonly mayLog: (principal: string, logGroup: string, logStream: string) => boolean,
  ) {}

  /** A warm environment of the function, or a new one after the time a cold start takes. */
  async acquire(fn: LambdaFunction): Promise<Environment> {
    const warm = this.idle.findLast((candidate) => candidate.fn === fn);
    if (warm) {
      this.idle = this.idle.filter((candidate) => candidate !== warm);
      this.busy.add(warm);
      return warm;
    }
    this.coldStarts++;
    const coldStartMs = this.world.latency.sample('lambda.cold-start');
    await this.world.clock.sleep(coldStartMs);
    // Nobody would end it any more, and its worker would keep the process alive. As with any sleep of a closed clock.
    if (this.closed) return new Promise(() => {});
    const started = this.start(fn, coldStartMs);
    this.busy.add(started);
    return started;
  }

  /** Gives an environment back for the next invocation. */
  release(environment: Environment): void {
    this.busy.delete(environment);
    this.idle.push(environment);
    while (this.idle.length > (this.closed ? 0 : WARM_LIMIT)) this.end(this.idle.shift()!);
  }

  /** Ends an environment that must not be used again. */
  discard(environment: Environment): void {
    this.busy.delete(environment);
    this.end(environment);
  }

  async close(): Promise<void> {
    this.closed = true;
    const all = [...this.idle, ...this.busy];
    this.idle = [];
    this.busy.clear();
    await Promise.all(all.map(({ environment }) => environment.terminate()));
  }

  private end({ environment, fn }: Environment): void {
    environment.terminate().catch((error: unknown) => {
      this.world.log('an environment of a function did not end', { function: fn.name, error: String(error) });
    });
  }

  private start(fn: LambdaFunction, coldStartMs: number): Environment {
    const { credentials, clock, random } = this.world;
    const caller = credentials.issue(sessionArn(fn.properties.Role, fn.name));
    const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const logStream = `${day}/[$LATEST]${random.hex(32)}`;
    const started: Environment = {
      fn,
      caller,
      logStream,
      mayLog: this.mayLog(caller.principal, fn.logGroup, logStream),
      lines: [],
      coldStartMs,
      environment: this.runtime.start({
        functionName: fn.name,
        functionArn: fn.arn,
        memorySize: fn.properties.MemorySize,
        handler: fn.properties.Handler,
        directory: fn.directory,
        variables: this.variables(fn, caller, logStream),
        clock,
        sleep: (milliseconds) => {
          const sleeping = clock.sleep(milliseconds);
          return caller.hold?.waiting(sleeping) ?? sleeping;
        },
        logGroup: fn.logGroup,
        logStream,
        log: (line) => this.log(started, line),
      }),
    };
    return started;
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime environment variables" */
  private variables(fn: LambdaFunction, caller: Caller, logStream: string): Record<string, string> {
    const { region } = this.world;
    return {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'en_US.UTF-8',
      TZ: ':UTC',
      ...fn.properties.Environment?.Variables,
      _HANDLER: fn.properties.Handler,
      LAMBDA_TASK_ROOT: fn.directory,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${fn.properties.Runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: fn.name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.properties.MemorySize),
      AWS_LAMBDA_LOG_GROUP_NAME: fn.logGroup,
      AWS_LAMBDA_LOG_STREAM_NAME: logStream,
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_ACCESS_KEY_ID: caller.accessKeyId,
      AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
      AWS_SESSION_TOKEN: caller.sessionToken,
      AWS_ENDPOINT_URL: this.endpointUrl(),
      // A profile of the person who runs the embedded AWS must not reach its functions.
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
  }
}
