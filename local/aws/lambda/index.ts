/**
 * Lambda: functions from S3 deployment packages, synchronous and asynchronous invocation.
 * Not modelled, and therefore refused: versions, aliases, layers, images, URLs, event source mappings, destinations other
 * than a topic for failures, reserved concurrency.
 */
import { z } from 'zod';
import { arnOf } from '../arn';
import { type Permits, type ServiceCaller, sessionArn } from '../iam/authority';
import type { Need } from '../iam/need';
import type { LogWriter } from '../logs/writer';
import { provision } from '../properties';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { startDeadline } from './deadline';
import { type Environment, Environments } from './environments';
import {
  EVENT_INVOKE_CONFIG,
  FUNCTION,
  type FunctionProperties,
  functionName,
  type LambdaFunction,
  PERMISSION,
  permissionStatement,
} from './function';
import type { InvokeAnswer, InvokeRequest, LambdaInvoker } from './invoker';
import type { InvocationResult, LambdaRuntime } from './runtime';
import { WorkerRuntime } from './worker-runtime';

/** Bytes of a synchronous request or response (Lambda quotas: 6 MB). */
const PAYLOAD_LIMIT = 6 * 1024 * 1024;
/** Bytes of the log's end that an answer can carry. */
const LOG_TAIL = 4096;
/** Waits before the retries of an asynchronous invocation, minutes (Developer Guide, "Asynchronous invocation"). */
const RETRY_MINUTES = [1, 2];

const NAME = z.string().min(1).max(170);
const INVOKE = z.strictObject({
  FunctionName: NAME,
  InvocationType: z.enum(['RequestResponse', 'Event']).default('RequestResponse'),
  LogType: z.enum(['None', 'Tail']).default('None'),
  Payload: z.string().default(''),
});

export interface LambdaDependencies {
  /** The directory that a deployment package was unpacked to. */
  asset(bucket: string, key: string): string | Promise<string>;
  /** The URL functions call AWS at, asked for when an environment starts. */
  endpointUrl(): string;
  authority: Permits;
  logs?: LogWriter;
  runtime?: LambdaRuntime;
  /** Publishes with a function's role: where its failed events go. */
  sns?: { publishFor(caller: string, topicArn: string, message: string): void };
}

/** Told of every invocation, when it begins and, if so, when it failed. */
export type InvocationListener = (functionName: string, what: 'invoked' | 'failed') => void;

export class Lambda implements Service, LambdaInvoker {
  readonly name = 'lambda';
  readonly protocol = 'rest-json';
  readonly version = '2015-03-31';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  /** Of all functions. */
  readonly counters = { invocations: 0, errors: 0 };

  private readonly listeners = new Set<InvocationListener>();
  private readonly functions = new Map<string, LambdaFunction>();
  private readonly environments: Environments;
  private readonly random;

  constructor(
    private readonly world: World,
    private readonly dependencies: LambdaDependencies,
  ) {
    this.random = world.random.fork('lambda');
    this.environments = new Environments(
      world,
      dependencies.runtime ?? new WorkerRuntime(),
      dependencies.endpointUrl,
      (environment, line) => this.write(environment, line),
      (principal, logGroup, logStream) => this.mayLog(principal, logGroup, logStream),
    );
    this.resources = {
      'AWS::Lambda::Function': provision('AWS::Lambda::Function', FUNCTION, (properties, logicalId) =>
        this.create(logicalId, properties),
      ),
      'AWS::Lambda::Permission': provision('AWS::Lambda::Permission', PERMISSION, (properties, logicalId) => {
        const { arn, permissions } = this.find(properties.FunctionName);
        permissions.push(permissionStatement(arn, properties));
        return { ref: logicalId, attributes: { Id: logicalId } };
      }),
      'AWS::Lambda::EventInvokeConfig': provision(
        'AWS::Lambda::EventInvokeConfig',
        EVENT_INVOKE_CONFIG,
        (properties, logicalId) => {
          const fn = this.find(properties.FunctionName);
          fn.maximumRetryAttempts = properties.MaximumRetryAttempts;
          fn.maximumEventAgeSeconds = properties.MaximumEventAgeInSeconds;
          fn.onFailure = properties.DestinationConfig?.OnFailure.Destination;
          return { ref: logicalId, attributes: {} };
        },
      ),
    };
    this.operations = {
      Invoke: operation({
        input: INVOKE,
        needs: ({ FunctionName }) => [this.invokeNeed(FunctionName)],
        handle: async ({ FunctionName, InvocationType, LogType, Payload }, { requestId }) => {
          const request = { functionName: FunctionName, payload: Payload, invocationType: InvocationType, requestId };
          const answer = await this.perform(request);
          return {
            StatusCode: answer.statusCode,
            Payload: answer.payload,
            FunctionError: answer.functionError,
            ...(LogType === 'Tail' && answer.log !== undefined
              ? { LogResult: Buffer.from(answer.log).subarray(-LOG_TAIL).toString('base64') }
              : {}),
            ...(InvocationType === 'RequestResponse' ? { ExecutedVersion: '$LATEST' } : {}),
          };
        },
      }),
      GetFunction: operation({
        input: z.strictObject({ FunctionName: NAME }),
        needs: ({ FunctionName }) => [{ action: 'lambda:GetFunction', resource: this.find(FunctionName).arn }],
        handle: ({ FunctionName }) => {
          const { Code } = this.find(FunctionName).properties;
          return {
            Configuration: configuration(this.find(FunctionName)),
            Code: { RepositoryType: 'S3', Location: `s3://${Code.S3Bucket}/${Code.S3Key}` },
          };
        },
      }),
      ListFunctions: operation({
        input: z.strictObject({}),
        handle: () => ({ Functions: [...this.functions.values()].map(configuration) }),
      }),
    };
  }

  /** Cold starts so far. */
  get coldStarts(): number {
    return this.environments.coldStarts;
  }

  /** Calls `listener` for every invocation; returns its removal. */
  onInvocation(listener: InvocationListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Invokes a function on behalf of another service; faults apply as they do to calls over the wire.
   * @throws AwsError
   */
  async invoke(request: InvokeRequest): Promise<InvokeAnswer> {
    const fault = this.world.faults.take('lambda', 'Invoke', {
      FunctionName: request.functionName,
      Payload: request.payload,
    });
    if (fault?.kind === 'throttle') throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
    if (fault?.kind === 'error') throw new AwsError(fault.code, fault.message, fault.status);
    if (fault?.kind === 'timeout') {
      await this.world.clock.sleep(fault.afterMs);
      throw new AwsError('SdkClientException', 'Unable to execute HTTP request: Read timed out', 500);
    }
    const { caller, functionName: name } = request;
    const denied = caller && this.dependencies.authority.refusal(caller, [this.invokeNeed(name)]);
    if (denied) throw new AwsError('AccessDeniedException', denied, 403);
    const answer = await this.perform(request);
    if (fault?.kind === 'lost-reply')
      throw new AwsError('SdkClientException', 'Unable to execute HTTP request: Connection reset', 500);
    return answer;
  }

  /** Why a service may not invoke the function; undefined: an AWS::Lambda::Permission lets it. */
  invokeRefusal(functionReference: string, service: ServiceCaller): string | undefined {
    return this.dependencies.authority.serviceRefusal(service, this.invokeNeed(functionReference));
  }

  close(): Promise<void> {
    return this.environments.close();
  }

  private invokeNeed(reference: string): Need {
    const { arn, permissions } = this.find(reference);
    return { action: 'lambda:InvokeFunction', resource: arn, policy: { statements: permissions } };
  }

  /** Lambda writes logs as the function's role, which needs one permission more when the group does not exist. */
  private mayLog(principal: string, group: string, stream: string): boolean {
    const arn = arnOf(this.world, 'logs', `log-group:${group}`);
    const needs = ['CreateLogStream', 'PutLogEvents'].map((action) => ({
      action: `logs:${action}`,
      resource: `${arn}:log-stream:${stream}`,
    }));
    if (!this.dependencies.logs?.has(group)) needs.unshift({ action: 'logs:CreateLogGroup', resource: arn });
    return this.dependencies.authority.refusal(principal, needs) === undefined;
  }

  private async perform({
    functionName: reference,
    payload,
    invocationType,
    requestId,
  }: InvokeRequest): Promise<InvokeAnswer> {
    const fn = this.find(reference);
    if (Buffer.byteLength(payload) > PAYLOAD_LIMIT)
      throw new AwsError(
        'RequestTooLargeException',
        `${Buffer.byteLength(payload)} byte payload is too large for the RequestResponse invocation type (limit ${PAYLOAD_LIMIT} bytes)`,
        413,
      );
    const event = payload === '' ? '{}' : payload;
    assertJson(event);
    if (invocationType === 'RequestResponse') return this.run(fn, event, requestId);
    this.queue(fn, event, requestId);
    return { statusCode: 202, payload: '' };
  }

  private async run(fn: LambdaFunction, payload: string, requestId: string): Promise<InvokeAnswer> {
    const { clock, latency } = this.world;
    this.counters.invocations++;
    this.tell(fn, 'invoked');
    const environment = await this.environments.acquire(fn);
    await clock.sleep(latency.sample('lambda.invoke'));
    environment.lines = [];
    const write = (line: string) => this.write(environment, line);
    const started = clock.now();
    write(`START RequestId: ${requestId} Version: $LATEST`);
    const result = await this.compute(environment, payload, requestId);
    const duration = clock.now() - started;
    write(`END RequestId: ${requestId}`);
    write(reportLine(requestId, fn.properties.MemorySize, duration, environment.coldStartMs));
    environment.coldStartMs = undefined;
    const log = environment.lines.join('\n');
    if (result.ok) return { statusCode: 200, payload: result.payload, log };
    this.counters.errors++;
    this.tell(fn, 'failed');
    return { statusCode: 200, payload: JSON.stringify(result.error), functionError: 'Unhandled', log };
  }

  /** Lets the environment compute, holding the clock, until it answers or its time is over. */
  private async compute(environment: Environment, payload: string, requestId: string): Promise<InvocationResult> {
    const { clock } = this.world;
    const seconds = environment.fn.properties.Timeout;
    const hold = clock.hold();
    environment.caller.hold = hold;
    try {
      const result = await new Promise<InvocationResult>((resolve, reject) => {
        const deadline = startDeadline(clock, seconds * 1000, () => {
          deadline.cancel();
          resolve(timedOut(requestId, seconds));
        });
        environment.environment
          .invoke({ requestId, payload, deadline: Math.floor(clock.now()) + seconds * 1000 })
          .then(resolve, reject)
          .finally(() => deadline.cancel());
      });
      if (!result.ok && result.fatal) this.environments.discard(environment);
      else this.environments.release(environment);
      return result;
    } finally {
      environment.caller.hold = undefined;
      hold.release();
    }
  }

  /** Runs an event in the background, again after a failure: AWS retries twice, after one and two minutes. */
  private queue(fn: LambdaFunction, payload: string, requestId: string): void {
    const { clock } = this.world;
    const accepted = clock.now();
    const attempt = async (made: number): Promise<void> => {
      const answer = await this.run(fn, payload, requestId);
      if (answer.functionError === undefined) return;
      const wait = (RETRY_MINUTES[made] ?? 0) * 60_000;
      const tooOld = clock.now() + wait - accepted > fn.maximumEventAgeSeconds * 1000;
      if (made >= fn.maximumRetryAttempts || tooOld) {
        this.world.log('an asynchronous invocation failed for good', { function: fn.name, requestId });
        const condition = made >= fn.maximumRetryAttempts ? 'RetriesExhausted' : 'EventAgeExceeded';
        this.giveUp(fn, { payload, requestId, attempts: made + 1, condition, answer });
        return;
      }
      await clock.sleep(wait);
      await attempt(made + 1);
    };
    attempt(0).catch((error: unknown) => {
      this.world.log('an asynchronous invocation broke', { function: fn.name, requestId, error: String(error) });
    });
  }

  /**
   * Tells the destination of failures.
   * Source: Developer Guide, "Capturing records of Lambda asynchronous invocations", example invocation record.
   */
  private giveUp(
    { name, arn, properties, onFailure }: LambdaFunction,
    failure: { payload: string; requestId: string; attempts: number; condition: string; answer: InvokeAnswer },
  ): void {
    if (onFailure === undefined) return;
    const { payload, requestId, attempts, condition, answer } = failure;
    const record = {
      version: '1.0',
      timestamp: new Date(this.world.clock.now()).toISOString(),
      requestContext: {
        requestId,
        functionArn: `${arn}:$LATEST`,
        condition,
        approximateInvokeCount: attempts,
      },
      requestPayload: JSON.parse(payload),
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: answer.functionError },
      responsePayload: JSON.parse(answer.payload),
    };
    this.dependencies.sns?.publishFor(sessionArn(properties.Role, name), onFailure, JSON.stringify(record));
  }

  private tell({ name }: LambdaFunction, what: 'invoked' | 'failed'): void {
    for (const listener of this.listeners) listener(name, what);
  }

  private write({ fn, logStream, mayLog, lines }: Environment, line: string): void {
    lines.push(line);
    if (mayLog) this.dependencies.logs?.write(fn.logGroup, logStream, line, { createGroup: true });
  }

  private async create(logicalId: string, properties: FunctionProperties): Promise<Provisioned> {
    const { region, account, clock } = this.world;
    const name = properties.FunctionName ?? `${logicalId.slice(0, 51)}-${this.random.hex(12)}`;
    const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
    const service = { name: 'lambda.amazonaws.com', sourceArn: arn };
    if (this.dependencies.authority.assumeRefusal(service, properties.Role)) {
      throw new AwsError(
        'InvalidParameterValueException',
        'The role defined for the function cannot be assumed by Lambda.',
      );
    }
    this.functions.set(name, {
      name,
      arn,
      properties,
      directory: await this.dependencies.asset(properties.Code.S3Bucket, properties.Code.S3Key),
      logGroup: properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`,
      createdAt: clock.now(),
      permissions: [],
      maximumRetryAttempts: 2,
      maximumEventAgeSeconds: 21_600,
      onFailure: undefined,
    });
    return { ref: name, attributes: { Arn: arn } };
  }

  private find(reference: string): LambdaFunction {
    const name = functionName(reference);
    const fn = this.functions.get(name);
    if (fn) return fn;
    const { region, account } = this.world;
    throw new AwsError(
      'ResourceNotFoundException',
      `Function not found: arn:aws:lambda:${region}:${account}:function:${name}`,
      404,
    );
  }
}

/**
 * The last line of an invocation's log, without the memory that was used: nobody knows it here.
 * A cold start is billed too since August 2025 (AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase"); all of
 * it is here, although AWS leaves out what it does before the function's own code loads.
 */
function reportLine(requestId: string, memory: number, duration: number, coldStart: number | undefined): string {
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${duration.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(duration + (coldStart ?? 0))} ms`,
    `Memory Size: ${memory} MB`,
    ...(coldStart === undefined ? [] : [`Init Duration: ${coldStart.toFixed(2)} ms`]),
  ];
  return fields.join('\t');
}

/** What Lambda answers for a function that took too long. */
const timedOut = (requestId: string, seconds: number): InvocationResult => ({
  ok: false,
  error: {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
  },
  fatal: true,
});

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function configuration({ name, arn, properties, createdAt, logGroup }: LambdaFunction): Record<string, unknown> {
  return {
    FunctionName: name,
    FunctionArn: arn,
    Runtime: properties.Runtime,
    Role: properties.Role,
    Handler: properties.Handler,
    Description: properties.Description ?? '',
    Timeout: properties.Timeout,
    MemorySize: properties.MemorySize,
    LastModified: new Date(createdAt).toISOString().replace('Z', '+0000'),
    Version: '$LATEST',
    ...(properties.Environment && { Environment: { Variables: properties.Environment.Variables } }),
    TracingConfig: { Mode: properties.TracingConfig?.Mode ?? 'PassThrough' },
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: properties.Architectures ?? ['x86_64'],
    LoggingConfig: { LogFormat: properties.LoggingConfig?.LogFormat ?? 'Text', LogGroup: logGroup },
  };
}

export type { InvokeAnswer, InvokeRequest, LambdaInvoker } from './invoker';
export type {
  EnvironmentSpec,
  FunctionError,
  Invocation,
  InvocationResult,
  LambdaEnvironment,
  LambdaRuntime,
} from './runtime';
export { WorkerRuntime } from './worker-runtime';
