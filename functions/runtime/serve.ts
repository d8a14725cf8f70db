/** Binds a step to its contract: environment, input and output are parsed here, and errors are logged here. */
import type { Context } from 'aws-lambda';
import type * as z from 'zod/mini';
import { InvalidInput } from '../cluster/errors';
import { COMMON_ERRORS } from '../contracts';
import { InvalidEnvironment, InvalidOutput } from './errors';
import { type Fields, type Logger, logger } from './log';
import { parse } from './parse';
import { lambdaPlatform, type Platform } from './platform';

/** What every `contract.ts` exports. */
export interface Contract<Input, Output, Env> {
  Input: z.ZodMiniType<Input>;
  Output: z.ZodMiniType<Output>;
  Env: z.ZodMiniType<Env>;
  /** Names of the errors that callers may match. */
  errors: readonly string[];
}

/** The platform with its environment parsed: what `handler.ts` builds clients from. */
export type Wiring<Env> = Omit<Platform, 'env' | 'write'> & { env: Env };

/** One invocation: unparsed payload in, parsed output out. */
export type Invoke<Output> = (payload: unknown, requestId?: string) => Promise<Output>;

/**
 * Makes a step ready to be wired to a platform. The returned function parses the environment and builds the clients
 * once; what it returns runs any number of invocations.
 * @throws InvalidEnvironment, naming every variable at fault
 */
export function connect<Input, Output, Env extends { CLUSTER: string }>(
  contract: Contract<Input, Output, Env>,
  build: (wiring: Wiring<Env>) => (input: Input, log: Logger) => Promise<Output>,
): (platform: Platform) => Invoke<Output> {
  return (platform) => {
    const env = parse(contract.Env, platform.env, 'environment');
    if ('faults' in env) throw new InvalidEnvironment(env.faults);
    const log = logger(platform.write, platform.now, {
      cluster: env.value.CLUSTER,
      function: platform.env.AWS_LAMBDA_FUNCTION_NAME,
    });
    const step = build({ ...platform, env: env.value });
    return async (payload, requestId) => {
      const bound = log.with({ requestId, ...subject(payload) });
      try {
        const input = parse(contract.Input, payload, 'input');
        if ('faults' in input) throw new InvalidInput(`the input is not valid: ${input.faults.join('; ')}`);
        const output = parse(contract.Output, await step(input.value, bound), 'output');
        if ('faults' in output) throw new InvalidOutput(output.faults);
        return output.value;
      } catch (error) {
        report(error, contract.errors, bound);
        throw error;
      }
    };
  };
}

/**
 * The Lambda handler of a connected step. Inside Lambda it is wired while the module loads, when the processor is at its
 * fastest; elsewhere at the first call, so that importing a handler needs no environment.
 */
export function serve<Output>(wire: (platform: Platform) => Invoke<Output>) {
  let invoke = process.env.AWS_LAMBDA_FUNCTION_NAME ? wire(lambdaPlatform()) : undefined;
  return (event: unknown, context?: Pick<Context, 'awsRequestId'>): Promise<Output> => {
    invoke ??= wire(lambdaPlatform());
    return invoke(event, context?.awsRequestId);
  };
}

/** Names of what an invocation is about, so that every line can be found by them. */
const SUBJECTS = ['slot', 'instanceId', 'script', 'commandId', 'workflow', 'purpose'] as const;

function subject(payload: unknown): Fields {
  const fields: Record<string, unknown> = {};
  if (typeof payload !== 'object' || payload === null) return fields;
  const entries = new Map<string, unknown>(Object.entries(payload));
  const execution = entries.get('execution');
  if (typeof execution === 'object' && execution !== null && 'id' in execution) fields.execution = execution.id;
  for (const name of SUBJECTS) if (entries.has(name)) fields[name] = entries.get(name);
  return fields;
}

/** An error of the contract is an answer; any other is a fault, whose stack somebody will want to read. */
function report(error: unknown, known: readonly string[], log: Logger): void {
  if (!(error instanceof Error)) {
    log.error('failed', { error: String(error) });
  } else if ([...known, ...COMMON_ERRORS].includes(error.name)) {
    log.warn('failed', { error: error.name, reason: error.message });
  } else {
    log.error('failed', { error: error.name, reason: error.message, stack: error.stack });
  }
}
