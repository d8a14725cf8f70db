/**
 * SDK clients without the SDK's work: a client whose request handler is a shortcut calls the embedded AWS with objects
 * instead of serialising, signing and parsing them again, which is most of what a call costs in simulation. What is not
 * certain to come out the same takes the wire: what JSON cannot spell is learnt from it once, and a refusal, or a broken
 * connection, is handed to the client as if it had come by the wire.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import type { Direct } from '../../local/wire/endpoint';
import { ConnectionLost, type Endpoint, type WireRequest, type WireResponse } from '../../local/wire/http';
import { fromWire, wireRequest } from './sdk';

/** Whose calls these are. */
interface Identity {
  accessKeyId: string;
}

interface Command {
  input: unknown;
  /** `[9, namespace, operation, traits, input, output]`: the SDK's compact form of the operation's Smithy model. */
  schema: [number, string, string, unknown, unknown, unknown];
}

/** What the handler is told of one call, by the options that the client passes on to it. */
interface Passed {
  /** Comes in place of the first attempt's answer. */
  replay?: () => WireResponse;
  /** The first request is also looked at. */
  learn?(request: WireRequest): void;
}

interface Client {
  config: {
    requestHandler: unknown;
    serviceId: string;
    protocol: {
      deserializeResponse(operation: object, context: object, response: HttpResponse): Promise<object>;
    };
  };
}

type Send = (this: Client, command: Command, options?: Passed) => Promise<unknown>;

/**
 * SigV4 names by the SDK's service ids, and whether the wire is JSON, which spells objects as they are. Others take the
 * wire, also because their outputs have Maps, of which JSON would make no text.
 */
const SERVICES: Record<string, { name: string; json: boolean }> = {
  DynamoDB: { name: 'dynamodb', json: true },
  EC2: { name: 'ec2', json: false },
  'Elastic Load Balancing v2': { name: 'elasticloadbalancing', json: false },
  EventBridge: { name: 'events', json: true },
  SFN: { name: 'states', json: true },
  SSM: { name: 'ssm', json: true },
};

/** How inputs of other wires are spelt, and what their answers mean, by their text. */
const inputs = new Map<string, unknown>();
const outputs = new Map<string, object>();
/** Entries, before everything is learnt anew: hardly one is of use to the next life. */
const REMEMBERED = 2_000;

export class Shortcut implements RequestHandler<HttpRequest, HttpResponse, Passed> {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(
    readonly endpoint: Endpoint,
    readonly direct: Direct,
    readonly identity: Identity,
  ) {
    install();
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  async handle(request: HttpRequest, passed: Passed = {}): Promise<{ response: HttpResponse }> {
    const { replay, learn } = passed;
    passed.replay = undefined;
    passed.learn = undefined;
    if (replay) return fromWire(replay());
    const wired = await wireRequest(request);
    learn?.(wired);
    return fromWire(await this.endpoint(wired));
  }
}

let installed = false;

/** Puts the shortcut before `send` of every client: the SDK has no hook before its own serialisation. */
function install(): void {
  if (installed) return;
  installed = true;
  const base: { send: Send } = Object.getPrototypeOf(DynamoDBClient.prototype);
  const { send } = base;
  base.send = function (command, options) {
    const { requestHandler, serviceId } = this.config;
    const service = SERVICES[serviceId];
    if (!(requestHandler instanceof Shortcut) || !service || options !== undefined) {
      return send.call(this, command, options);
    }
    return shorten(this, command, requestHandler, service, (passed) => send.call(this, command, passed));
  };
}

async function shorten(
  client: Client,
  command: Command,
  { direct, identity }: Shortcut,
  service: { name: string; json: boolean },
  send: (passed: Passed) => Promise<unknown>,
): Promise<unknown> {
  const { input, schema } = command;
  const [, , operation] = schema;
  const spelt = service.json ? spell(input) : inputs.get(keyOf(service.name, operation, JSON.stringify(input)));
  if (spelt === undefined) {
    const key = keyOf(service.name, operation, JSON.stringify(input));
    return send({ learn: (request) => remember(inputs, key, direct.read(request)) });
  }
  let replay: () => WireResponse;
  try {
    const call = { service: service.name, operation, input: spelt, accessKeyId: identity.accessKeyId };
    const answer = await direct.call(call);
    if ('output' in answer && service.json) return Object.assign(read(answer.output), { $metadata: OK });
    if ('output' in answer) {
      const key = keyOf(service.name, operation, JSON.stringify(answer.output));
      const known = outputs.get(key);
      if (known) return known;
      const output = await deserialize(client, command, answer.write());
      remember(outputs, key, deepFreeze(output));
      return output;
    }
    const { refusal } = answer;
    if (isFinal(refusal)) await deserialize(client, command, refusal);
    replay = () => refusal;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    replay = () => {
      throw error;
    };
  }
  return send({ replay });
}

/** Rejects as the client would, when the response is a refusal. */
function deserialize({ config }: Client, { schema }: Command, written: WireResponse): Promise<object> {
  const [, namespace, name, traits, input, output] = schema;
  const parts = { namespace, name, traits, input, output };
  return config.protocol.deserializeResponse(parts, config, fromWire(written).response);
}

/** Whether it is one of the refusals that are met most, and that no client tries again. */
function isFinal({ body }: WireResponse): boolean {
  const text = body.toString('utf8', 0, 64);
  return FINAL.some((code) => text.startsWith(`{"__type":"${code}"`));
}

const FINAL = ['InvalidInstanceId', 'InvocationDoesNotExist', 'ConditionalCheckFailedException'];

const OK = { httpStatusCode: 200, attempts: 1, totalRetryDelay: 0 };

const keyOf = (...parts: string[]) => parts.join('\n');

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.size >= REMEMBERED) map.clear();
  map.set(key, value);
}

/** An input as JSON spells it: timestamps are epoch seconds, blobs base64. */
function spell(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(spell);
  return typeof value === 'object' && value !== null ? members(value, spell) : value;
}

/** An output as the SDK would have read it from JSON. */
function read(value: unknown): object {
  const copy = copyOf(value);
  return typeof copy === 'object' && copy !== null ? copy : {};
}

function copyOf(value: unknown): unknown {
  if (value instanceof Date) return new Date(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof Map) return members(Object.fromEntries(value), copyOf);
  if (Array.isArray(value)) return value.map(copyOf);
  return typeof value === 'object' && value !== null ? members(value, copyOf) : value;
}

/** What is not there is not written. */
function members(value: object, each: (member: unknown) => unknown): object {
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) copy[name] = each(member);
  return copy;
}

/** An answer that is handed out again must not be written to by whoever had it first. */
function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !(member instanceof Uint8Array)) deepFreeze(member);
  }
  return Object.freeze(value);
}
