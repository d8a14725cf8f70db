/**
 * Where functions run. The default runs the deployed bundle in a worker thread; simulation runs handlers in-process.
 */
import type { Clock } from '../../clock';

export interface EnvironmentSpec {
  functionName: string;
  functionArn: string;
  memorySize: number;
  /** `file.export`, as the function's Handler says. */
  handler: string;
  /** What the deployment package was unpacked to. */
  directory: string;
  /** The whole environment of the function, its session credentials included. */
  variables: Record<string, string>;
  clock: Clock;
  /** Lets AWS time pass while the function waits and computes nothing. */
  sleep(milliseconds: number): Promise<void>;
  logGroup: string;
  logStream: string;
  /** Takes one line that the function wrote to stdout or stderr. */
  log(line: string): void;
}

export interface Invocation {
  requestId: string;
  /** JSON text of the event. */
  payload: string;
  /** When the invocation times out, milliseconds of AWS time. */
  deadline: number;
}

/** The error object that Lambda answers with. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type InvocationResult =
  | { ok: true; payload: string }
  /** `fatal`: the environment cannot be used again. */
  | { ok: false; error: FunctionError; fatal: boolean };

/** One execution environment: runs one invocation at a time and is reused while warm. */
export interface LambdaEnvironment {
  /** Initialises the function first, if that has not happened yet. Never rejects. */
  invoke(invocation: Invocation): Promise<InvocationResult>;
  /** Ends the environment at once; an invocation in flight never settles. */
  terminate(): Promise<void>;
}

export interface LambdaRuntime {
  start(spec: EnvironmentSpec): LambdaEnvironment;
}
