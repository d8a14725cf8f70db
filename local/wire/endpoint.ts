import { gunzipSync } from 'node:zlib';
import type { Need } from '../aws/iam/need';
import { AwsError, type Operation, type Protocol, type Service, type World } from '../aws/service';
import type { Caller } from '../credentials';
import type { ApiFault } from '../faults';
import { callerOf, scopeOf } from './caller';
import {
  accessDenied,
  internalError,
  invalidInput,
  throttled,
  unknownCaller,
  unknownOperation,
  wrongRegion,
} from './errors';
import { ConnectionLost, type Endpoint, type WireRequest, type WireResponse } from './http';
import { json } from './json';
import type { Codec } from './protocol';
import { ec2, query } from './query';
import { restJson } from './rest-json';
import { restXml } from './rest-xml';
import { rpcCbor, speaksCbor } from './rpc-cbor';

/** A call that is about to take effect. */
export interface AuthorizedCall {
  service: string;
  operation: string;
  input: unknown;
  caller: Caller;
  requestId: string;
}

export interface EndpointOptions {
  /** Why a principal may not do what it asks for; undefined: it may. Everything is allowed unless given. */
  refusal?(principal: string, needs: readonly Need[]): string | undefined;
  /** Told of every call that reached an operation, after it: `error` is the code of what it was answered with. */
  observe?(call: AuthorizedCall & { error?: string }): void;
}

const CODECS: Record<Protocol, Codec> = {
  ec2,
  query,
  'json-1.0': json('1.0'),
  'json-1.1': json('1.1'),
  'rest-json': restJson,
  'rest-xml': restXml,
};

/** A call by somebody who needs no wire: its input as the wire would have spelt it. */
export interface DirectCall {
  service: string;
  operation: string;
  input: unknown;
  accessKeyId: string;
}

/** The operation's output, and how the wire would have written it; or the wire's response of a refusal. */
export type DirectAnswer = { output: unknown; write(): WireResponse } | { refusal: WireResponse };

/** The way around the wire, for simulation: behind both everything is the same. */
export interface Direct {
  /** Rejects with ConnectionLost as an endpoint does. */
  call(call: DirectCall): Promise<DirectAnswer>;
  /** How the wire spells the input of a request; undefined when no service would read it. */
  read(request: WireRequest): unknown;
}

/** The AWS wire as a function: from the bytes of a signed request to the bytes of its answer. */
export function createEndpoint(world: World, services: Service[], options: EndpointOptions = {}): Endpoint {
  return createEntrances(world, services, options).endpoint;
}

/** The wire and the way around it. */
export function createEntrances(
  world: World,
  services: Service[],
  options: EndpointOptions = {},
): { endpoint: Endpoint; direct: Direct } {
  const byName = new Map(services.map((service) => [service.name, service]));
  if (byName.size !== services.length) throw new Error('two services have the same name');
  const random = world.random.fork('wire');

  const carryOut = async (service: Service, name: string, input: unknown, caller: Caller, requestId: string) => {
    const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined;
    if (!operation) throw unknownOperation(service, name);
    const call = { service: service.name, operation: name, input, caller, requestId };
    const fault = world.faults.take(service.name, name, input);
    const answer = perform(world, service, operation, call, fault, options).finally(() => {
      if (fault?.kind === 'lost-reply') throw new ConnectionLost();
    });
    // A caller's own process stands still until it is answered, so its hold must not stop the time it waits for.
    return caller.hold ? caller.hold.waiting(answer) : answer;
  };

  const refusal = (error: unknown, service: Service, codec: Codec, requestId: string): WireResponse => {
    if (error instanceof ConnectionLost) throw error;
    if (error instanceof AwsError) return codec.writeError(error, service, requestId);
    world.log('internal error of the embedded AWS', {
      service: service.name,
      error: error instanceof Error ? error.stack : String(error),
    });
    return codec.writeError(internalError(service, error), service, requestId);
  };

  const endpoint: Endpoint = async (request) => {
    const requestId = random.uuid();
    const scope = scopeOf(request);
    const service = scope && byName.get(scope.service);
    if (!service) {
      const error = scope
        ? new AwsError('UnknownEndpoint', `The embedded AWS has no service ${scope.service}.`, 404)
        : new AwsError('MissingAuthenticationToken', 'Missing Authentication Token: the request is not signed.', 403);
      return guess(request).writeError(error, { name: scope?.service ?? 'aws', version: '' }, requestId);
    }
    const codec = speaksCbor(request) ? rpcCbor : CODECS[service.protocol];
    try {
      const caller = callerOf(world, scope, request);
      const { operation, input } = codec.read(decompress(request), service);
      if (!caller) throw unknownCaller(service);
      if (scope.region !== world.region && world.credentials.lookup(caller.accessKeyId)) {
        throw wrongRegion(service, scope.region);
      }
      const output = await carryOut(service, operation, input, caller, requestId);
      return codec.write(output, operation, service, requestId);
    } catch (error) {
      return refusal(error, service, codec, requestId);
    }
  };

  const direct: Direct = {
    async call({ service: serviceName, operation, input, accessKeyId }) {
      const requestId = random.uuid();
      const service = byName.get(serviceName);
      const caller = world.credentials.lookup(accessKeyId);
      if (!service || !caller) throw new Error(`${serviceName} is called directly by nobody who may`);
      const codec = CODECS[service.protocol];
      try {
        const output = await carryOut(service, operation, input, caller, requestId);
        return { output, write: () => codec.write(output, operation, service, '') };
      } catch (error) {
        return { refusal: refusal(error, service, codec, requestId) };
      }
    },
    read(request) {
      const service = byName.get(scopeOf(request)?.service ?? '');
      return service && CODECS[service.protocol].read(decompress(request), service).input;
    },
  };

  return { endpoint, direct };
}

async function perform(
  world: World,
  service: Service,
  operation: Operation,
  call: AuthorizedCall,
  fault: ApiFault | undefined,
  options: EndpointOptions,
): Promise<unknown> {
  try {
    refuse(service, fault);
    if (fault?.kind === 'timeout') {
      await world.clock.sleep(fault.afterMs);
      throw new ConnectionLost();
    }
    const parsed = operation.input.safeParse(call.input);
    if (!parsed.success) throw invalidInput(service, call.operation, parsed.error);
    await world.clock.sleep(
      world.latency.sample(operation.latency ?? 'api.call', operation.waitsFor?.(parsed.data), service.name),
    );
    const needs = operation.needs?.(parsed.data) ?? [{ action: ownAction(service, call.operation), resource: '*' }];
    const denied = options.refusal?.(call.caller.principal, needs);
    if (denied !== undefined) throw accessDenied(service, denied);
    const output = await operation.handle(parsed.data, { caller: call.caller, requestId: call.requestId });
    options.observe?.(call);
    return output;
  } catch (error) {
    options.observe?.({ ...call, error: codeOf(error) });
    throw error;
  }
}

const ownAction = ({ name, actionPrefix = name }: Service, operation: string) => `${actionPrefix}:${operation}`;

function refuse(service: Service, fault: ApiFault | undefined): void {
  if (fault?.kind === 'throttle') throw throttled(service);
  if (fault?.kind === 'error') throw new AwsError(fault.code, fault.message, fault.status);
}

function codeOf(error: unknown): string {
  if (error instanceof AwsError) return error.code;
  return error instanceof Error ? error.name : 'InternalFailure';
}

/** CloudWatch's client compresses large requests. */
function decompress(request: WireRequest): WireRequest {
  return request.headers['content-encoding'] === 'gzip' ? { ...request, body: gunzipSync(request.body) } : request;
}

/** The format of a request whose service is not known, so that its client can read the refusal. */
function guess(request: WireRequest): Codec {
  if (speaksCbor(request)) return rpcCbor;
  if (request.headers['x-amz-target']) return CODECS['json-1.1'];
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return form || request.query.has('Action') ? query : restJson;
}

export type { Endpoint, WireRequest, WireResponse };
