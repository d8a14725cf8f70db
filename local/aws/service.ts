/**
 * What a service of the embedded AWS is: operations with a strict input schema each, and the CloudFormation resource
 * types it provisions. The wire formats live in `local/wire`, so a service sees plain objects only.
 */
import type { z } from 'zod';
import type { Clock } from '../clock';
import type { Caller, Credentials } from '../credentials';
import type { Faults } from '../faults';
import type { Latency, LatencyName } from '../latency';
import type { Random } from '../random';
import type { Need } from './iam/need';

/** What every service shares. */
export interface World {
  clock: Clock;
  random: Random;
  latency: Latency;
  faults: Faults;
  credentials: Credentials;
  account: string;
  region: string;
  /** Availability zone names, in order. */
  zones: string[];
  /** One structured line for people; never a secret. */
  log(message: string, detail?: Record<string, unknown>): void;
}

/** An error as AWS reports it: `code` is what SDK clients expose as the exception's name. */
export class AwsError extends Error {
  override readonly name = 'AwsError';

  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
    /** Members of a modelled exception beside its message. */
    readonly detail: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export interface Call {
  caller: Caller;
  requestId: string;
}

export interface Operation<Input = never, Output = unknown> {
  /** Strict: an unknown parameter is refused by name. */
  input: z.ZodType<Input>;
  /** How long the call takes; `api.call` unless said. */
  latency?: LatencyName;
  /** What its latency is drawn for: calls about the same thing wait one draw after another. */
  waitsFor?(input: Input): string | undefined;
  /**
   * What the caller must be allowed; unless said, the action of the operation's own name on `*`, which is right only
   * for actions that take no resource. May throw as `handle` does when what the call is about does not exist.
   */
  needs?(input: NoInfer<Input>): readonly Need[];
  handle(input: Input, call: Call): Output | Promise<Output>;
}

/** Ties an operation's handler to its schema's type. */
export function operation<Input, Output>(definition: Operation<Input, Output>): Operation {
  return definition as unknown as Operation;
}

/** What CloudFormation sees of a created resource. */
export interface Provisioned {
  /** The value of `Ref`. */
  ref: string;
  /** The values of `Fn::GetAtt`; nested names are joined with dots, as templates write them. */
  attributes: Record<string, unknown>;
}

/**
 * Creates one CloudFormation resource from its resolved properties. A property that is not modelled is an error naming
 * it: silently ignoring a property would make the embedded AWS lie.
 */
export type Provision = (logicalId: string, properties: Record<string, unknown>) => Provisioned | Promise<Provisioned>;

export type Protocol = 'ec2' | 'query' | 'json-1.0' | 'json-1.1' | 'rest-json' | 'rest-xml';

export interface Service {
  /** The SigV4 signing name: `ec2`, `ssm`, `elasticloadbalancing`, `dynamodb`, `secretsmanager`, `states`, … */
  readonly name: string;
  /** Of its actions in policies, where that is not its name. */
  readonly actionPrefix?: string;
  readonly protocol: Protocol;
  /** The API version in query responses' namespaces; the target prefix in JSON ones. */
  readonly version: string;
  readonly operations: Record<string, Operation>;
  /** Resource type → its creation. */
  readonly resources: Record<string, Provision>;
  /** Ends timers and listeners. */
  close?(): Promise<void> | void;
}
