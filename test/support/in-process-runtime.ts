/** Runs the functions in this process, wired as in Lambda but to virtual time: no worker, no bundle, no socket. */

import type { Platform } from '../../functions/runtime/platform';
import type { Invoke } from '../../functions/runtime/serve';
import type {
  EnvironmentSpec,
  Invocation,
  InvocationResult,
  LambdaEnvironment,
  LambdaRuntime,
} from '../../local/aws/lambda/runtime';
import type { Surroundings } from '../../local/embedded';
import type { WireResponse } from '../../local/wire/http';
import { VirtualRetries } from './retries';
import { requestHandler } from './sdk';
import { Shortcut } from './shortcut';

interface Handler {
  wire(platform: Platform): Invoke<unknown>;
}

export interface InProcessOptions {
  /** Calls AWS without the wire, where that makes no difference. */
  shortcut?: boolean;
}

export class InProcessRuntime implements LambdaRuntime {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly options: InProcessOptions = {},
  ) {}

  start(spec: EnvironmentSpec): LambdaEnvironment {
    return new InProcessEnvironment(spec, this.surroundings, this.options);
  }
}

class InProcessEnvironment implements LambdaEnvironment {
  private wired: Invoke<unknown> | undefined;
  private ended = false;

  constructor(
    private readonly spec: EnvironmentSpec,
    private readonly surroundings: Surroundings,
    private readonly options: InProcessOptions,
  ) {}

  invoke({ payload, requestId }: Invocation): Promise<InvocationResult> {
    return new Promise((settle) => {
      this.run(payload, requestId).then((result) => {
        if (!this.ended) settle(result);
      });
    });
  }

  async terminate(): Promise<void> {
    this.ended = true;
  }

  private async run(payload: string, requestId: string): Promise<InvocationResult> {
    try {
      this.wired ??= handlerOf(this.spec).wire(platform(this.spec, this.surroundings, this.options));
      const output = await this.wired(JSON.parse(payload), requestId);
      return { ok: true, payload: JSON.stringify(output) };
    } catch (thrown) {
      const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
      return {
        ok: false,
        error: { errorType: name, errorMessage: message, trace: stack?.split('\n') ?? [] },
        fatal: this.wired === undefined,
      };
    }
  }
}

/** `k3s-demo-launch-server` → `functions/launch-server/handler.ts`. */
function handlerOf({ functionName, variables }: EnvironmentSpec): Handler {
  const step = functionName.slice(`k3s-${variables.CLUSTER}-`.length);
  // With its extension: bundlers look for the files that such a pattern can mean.
  return require(`../../functions/${step}/handler.ts`);
}

function platform(
  { variables, log, sleep }: EnvironmentSpec,
  { world, endpoint, direct, route }: Surroundings,
  { shortcut = false }: InProcessOptions,
): Platform {
  const { clock, random } = world;
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = variables;
  const own = random.fork(`function ${accessKeyId}`);
  return {
    env: variables,
    now: () => clock.now(),
    sleep,
    uuid: () => own.uuid(),
    client: {
      region: world.region,
      endpoint: variables.AWS_ENDPOINT_URL,
      credentials: { accessKeyId, secretAccessKey, sessionToken: variables.AWS_SESSION_TOKEN },
      requestHandler: shortcut ? new Shortcut(endpoint, direct, { accessKeyId }) : requestHandler(endpoint),
      retryStrategy: new VirtualRetries(own, sleep),
    },
    fetch: async (url, request) => reply(await route(wireRequest(url, request))),
    write: log,
  };
}

function wireRequest(url: string, { method, body }: { method: string; body: string }) {
  const { pathname, searchParams } = new URL(url);
  return { method, path: pathname, query: searchParams, headers: {}, body: Buffer.from(body) };
}

const reply = ({ status }: WireResponse) => ({ ok: status >= 200 && status < 300, status });
