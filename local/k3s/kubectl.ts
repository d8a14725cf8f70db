/** `kubectl` on a server, with the administrator's kubeconfig: the verbs that node scripts and people use. */
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { warningsAbout } from './admission';
import { type Api, ApiError, NoMatch } from './api';
import { getObject, listObjects } from './apiserver/resources';
import { type Arguments, parseArguments, seconds, UsageError } from './arguments';
import type { CommandResult, MachineContext } from './command';
import { EtcdError } from './etcd';
import { type Kind, kindTyped, qualified, resource } from './kinds';
import type { ServerMachine } from './machine';
import { KubeObject } from './objects';
import { FormatError, render } from './printers';
import { fieldSelector, labelSelector, SelectorError } from './selectors';
import { KUBECONFIG, type ServerProcess } from './server';

const REFUSED = (server: string) =>
  `The connection to the server ${server} was refused - did you specify the right host or port?`;

/** The API server gives up on etcd after this long. */
const ETCD_TIMEOUT = 7_000;

const FLAGS = {
  'all-namespaces': true,
  'dry-run': false,
  'field-manager': false,
  'field-selector': false,
  filename: false,
  force: true,
  'force-conflicts': true,
  'grace-period': false,
  'ignore-not-found': true,
  namespace: false,
  'no-headers': true,
  output: false,
  overwrite: true,
  patch: false,
  raw: false,
  'request-timeout': false,
  selector: false,
  'server-side': true,
  timeout: false,
  type: false,
  wait: true,
} as const;
const SHORT = { A: 'all-namespaces', f: 'filename', l: 'selector', n: 'namespace', o: 'output', p: 'patch' };
/** Real flags that would change the outcome in ways the model does not have. */
const UNMODELLED = ['dry-run', 'force', 'grace-period'];

/** Ends a command with an exit code of 1 and this text. */
class Failed extends Error {
  override readonly name = 'Failed';
}

interface Call {
  machine: ServerMachine;
  context: MachineContext;
  args: Arguments;
  stdin: string;
}

export async function kubectl(
  machine: ServerMachine,
  context: MachineContext,
  argv: readonly string[],
  stdin: string,
): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  try {
    const args = parseArguments(argv, FLAGS, SHORT);
    for (const flag of UNMODELLED) {
      if (args.flags.has(flag)) throw new UsageError(`the model of kubectl has no --${flag}`);
    }
    const [verb, ...positional] = args.positional;
    const run = VERBS[verb ?? ''];
    if (!run) throw new UsageError(`unknown command "${verb ?? ''}" for "kubectl"`);
    const call: Call = { machine, context, args: { ...args, positional }, stdin };
    await machine.pauseFor('k3s.kubectl', context.signal);
    const outcome = await run(call);
    stdout = outcome.stdout;
    stderr = outcome.stderr ?? '';
    const warnings = outcome.warnings ?? '';
    return { exitCode: stderr ? 1 : 0, stdout, stderr: `${warnings}${stderr}` };
  } catch (error) {
    return { exitCode: 1, stdout, stderr: `${messageOf(error)}\n` };
  }
}

const USAGE = [UsageError, NoMatch, FormatError, SelectorError];

/** How kubectl words a failure; rethrows what is not one. */
function messageOf(error: unknown): string {
  if (USAGE.some((kind) => error instanceof kind)) {
    return `error: ${error instanceof Error ? error.message : error}`;
  }
  if (error instanceof Failed) return error.message;
  if (error instanceof ApiError) return serverError(error);
  if (error instanceof EtcdError) return `Error from server: ${error.message}`;
  throw error;
}

function serverError({ reason, message }: ApiError): string {
  return reason === 'Invalid' ? `The ${message}` : `Error from server (${reason}): ${message}`;
}

interface Outcome {
  stdout: string;
  /** Not empty: the command failed in part. */
  stderr?: string;
  /** Printed to stderr as well; they fail nothing. */
  warnings?: string;
}

const VERBS: Record<string, (call: Call) => Promise<Outcome>> = {
  get,
  apply: (call) => write(call, applyOne),
  create: (call) => write(call, createOne),
  delete: remove,
  patch,
  annotate: (call) => assign(call, 'annotations', 'annotated'),
  label: (call) => assign(call, 'labels', 'labeled'),
  cordon: (call) => setUnschedulable(call, true),
  uncordon: (call) => setUnschedulable(call, false),
  version: async ({ machine }) => {
    const server = machine.unit.process;
    return { stdout: `Client Version: ${server?.release.version ?? 'unknown'}\n` };
  },
};

/** The API server on this machine, once it answers. */
async function connect({ machine, context, args }: Call): Promise<{ api: Api; server: ServerProcess }> {
  if (machine.files.read(KUBECONFIG) === undefined) throw new Failed(REFUSED('localhost:8080'));
  const server = machine.unit.process;
  if (!server?.listening || !server.cluster) throw new Failed(REFUSED('127.0.0.1:6443'));
  const { cluster } = server;
  const limit = seconds(args.flags.get('request-timeout') ?? '0') * 1000;
  if (!server.apiReady) {
    throw new Failed('Error from server (ServiceUnavailable): apiserver not ready');
  }
  if (!cluster.serves(server)) {
    if (limit > 0 && limit < ETCD_TIMEOUT) {
      await machine.pause(limit, context.signal);
      throw new Failed(
        'Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
      );
    }
    await machine.pause(ETCD_TIMEOUT, context.signal);
    if (!cluster.serves(server)) throw new Failed('Error from server: etcdserver: request timed out');
  }
  return { api: cluster.api, server };
}

async function get(call: Call): Promise<Outcome> {
  const { args, machine } = call;
  const { flags } = args;
  const raw = flags.get('raw');
  if (raw !== undefined) {
    const { server } = await connect(call);
    return { stdout: rawPath(server, raw) };
  }
  const [{ kind, names }, ...more] = targets(args);
  if (more.length > 0) throw new UsageError('the model of kubectl gets one resource type at a time');
  const { server } = await connect(call);
  const cluster = server.cluster!;
  if (!cluster.api.serves(kind)) throw new UsageError(`the server doesn't have a resource type "${kind.plural}"`);
  const all = flags.get('all-namespaces') === 'true';
  const namespace = kind.namespaced && !all ? namespaceOf(call) : undefined;
  const lenient = flags.get('ignore-not-found') === 'true';
  let objects: KubeObject[];
  if (names.length > 0) {
    const found = names.map((name) => {
      const object = getObject(cluster, kind, name, namespace);
      if (!object && !lenient) throw new ApiError('NotFound', `${resource(kind)} "${name}" not found`);
      return object;
    });
    objects = found.filter((object) => object !== undefined);
    if (objects.length === 0) return { stdout: '' };
  } else {
    const selector = labelSelector(flags.get('selector'));
    const field = fieldSelector(kind.kind, flags.get('field-selector'));
    objects = listObjects(cluster, kind, namespace).filter((object) => selector(object) && field(object));
    const format = flags.get('output') ?? '';
    if (objects.length === 0 && (format === '' || format === 'wide')) {
      const where = namespace === undefined ? '' : ` in ${namespace} namespace`;
      // kubectl says so on stderr and still succeeds.
      return { stdout: lenient ? '' : `No resources found${where}.\n` };
    }
  }
  const { clock } = machine.model.world;
  return {
    stdout: render(objects, flags.get('output') ?? '', {
      kind,
      single: names.length === 1,
      headers: flags.get('no-headers') !== 'true',
      namespaces: all,
      now: clock.now(),
    }),
  };
}

function rawPath(server: ServerProcess, path: string): string {
  if (path === '/readyz' || path === '/healthz' || path === '/livez') return 'ok';
  if (path === '/version') return `${JSON.stringify({ gitVersion: server.release.version })}\n`;
  const kind = /^\/api\/v1\/([a-z]+)$/.exec(path)?.[1];
  const known = kind === undefined ? undefined : kindTyped(kind);
  if (!known) throw new UsageError(`the model of kubectl has no raw path ${path}`);
  return JSON.stringify({ apiVersion: 'v1', kind: `${known.kind}List`, items: server.cluster!.api.list(known.kind) });
}

async function write(call: Call, one: (api: Api, object: KubeObject, call: Call) => string): Promise<Outcome> {
  if (call.args.positional.length > 0) throw new UsageError(`unexpected args: ${call.args.positional.join(' ')}`);
  const { name, text } = input(call);
  const objects = documents(name, text);
  const { api } = await connect(call);
  let stdout = '';
  let stderr = '';
  let warnings = '';
  for (const object of objects) {
    try {
      const kind = api.kind(object.apiVersion, object.kind);
      const { metadata } = object;
      const namespace = kind.namespaced ? (metadata.namespace ?? namespaceOf(call)) : undefined;
      const placed = { ...object, metadata: { ...metadata, namespace } };
      stdout += `${qualified(kind)}/${metadata.name} ${one(api, placed, call)}\n`;
      warnings += warningsAbout(api, placed)
        .map((warning) => `Warning: ${warning}\n`)
        .join('');
    } catch (error) {
      stderr += `${failureOf(object, name, error)}\n`;
    }
  }
  return { stdout, stderr, warnings };
}

function failureOf(object: KubeObject, file: string, error: unknown): string {
  if (!(error instanceof NoMatch)) return messageOf(error);
  const { name, namespace = '' } = object.metadata;
  const mapping = `resource mapping not found for name: "${name}" namespace: "${namespace}" from "${file}"`;
  return `${mapping}: ${error.message}\nensure CRDs are installed first`;
}

function applyOne(api: Api, object: KubeObject, { args }: Call): string {
  if (args.flags.get('server-side') !== 'true') {
    const before = api.get(object.kind, object.metadata.name, object.metadata.namespace);
    const after = api.apply(object);
    if (!before) return 'created';
    return before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'configured';
  }
  api.apply(object);
  return 'serverside-applied';
}

function createOne(api: Api, object: KubeObject): string {
  api.create(object);
  return 'created';
}

async function remove(call: Call): Promise<Outcome> {
  const { args, machine, context } = call;
  const { flags } = args;
  const lenient = flags.get('ignore-not-found') === 'true';
  const file = flags.has('filename') ? input(call) : undefined;
  const wanted = file
    ? documents(file.name, file.text).map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }))
    : undefined;
  const { api, server } = await connect(call);
  const doomed = wanted
    ? wanted.map(({ apiVersion, kind, metadata }) => ({
        kind: api.kind(apiVersion, kind),
        name: metadata.name,
        namespace: metadata.namespace,
      }))
    : targets(args).flatMap(({ kind, names }) => {
        if (names.length === 0) throw new UsageError('resource(s) were provided, but no name was specified');
        return names.map((name) => ({ kind, name, namespace: undefined }));
      });
  let stdout = '';
  const deadline = seconds(flags.get('timeout') ?? '0') * 1000;
  const began = machine.model.world.clock.now();
  for (const { kind, name, namespace: given } of doomed) {
    const namespace = kind.namespaced ? (given ?? namespaceOf(call)) : undefined;
    if (lenient && !api.get(kind.kind, name, namespace)) continue;
    api.delete(kind, name, namespace);
    stdout += `${qualified(kind)} "${name}" deleted\n`;
    if (flags.get('wait') === 'false') continue;
    while (api.get(kind.kind, name, namespace)) {
      if (deadline > 0 && machine.model.world.clock.now() - began >= deadline) {
        return { stdout, stderr: `error: timed out waiting for the condition on ${kind.plural}/${name}\n` };
      }
      await machine.pause(1000, context.signal);
      if (!server.cluster!.serves(server)) throw new Failed(REFUSED('127.0.0.1:6443'));
    }
  }
  return { stdout };
}

async function patch(call: Call): Promise<Outcome> {
  const { flags } = call.args;
  const text = flags.get('patch');
  if (text === undefined)
    throw new UsageError('must specify --patch or --patch-file containing the contents of the patch');
  const type = flags.get('type') ?? 'strategic';
  if (type !== 'merge') throw new UsageError(`the model of kubectl patches with --type=merge only, not ${type}`);
  const content = z.record(z.string(), z.unknown()).safeParse(parse(text));
  if (!content.success) throw new UsageError('unable to parse the patch: not an object');
  return each(call, 'patched', (api, kind, name, namespace) => api.patch(kind, name, namespace, content.data));
}

async function assign(call: Call, field: 'annotations' | 'labels', done: string): Promise<Outcome> {
  const { positional, flags } = call.args;
  const isChange = (arg: string) => /^[^=]+=/.test(arg) || /^[^=]+-$/.test(arg);
  const changes = positional.filter((arg, index) => index > 0 && isChange(arg));
  if (changes.length === 0) throw new UsageError(`at least one ${field.slice(0, -1)} update is required`);
  const values = new Map<string, string | null>();
  for (const change of changes) {
    const at = change.indexOf('=');
    if (at < 0) values.set(change.slice(0, -1), null);
    else values.set(change.slice(0, at), change.slice(at + 1));
  }
  const rest = { ...call, args: { ...call.args, positional: positional.filter((arg) => !changes.includes(arg)) } };
  return each(rest, done, (api, kind, name, namespace) => {
    const present = api.require(kind, name, namespace).metadata[field] ?? {};
    for (const [key, value] of values) {
      const before = present[key];
      if (value === null || before === undefined || before === value || flags.get('overwrite') === 'true') continue;
      throw new Failed(`error: '${key}' already has a value (${before}), and --overwrite is false`);
    }
    api.patch(kind, name, namespace, { metadata: { [field]: Object.fromEntries(values) } });
  });
}

async function setUnschedulable(call: Call, unschedulable: boolean): Promise<Outcome> {
  const { positional } = call.args;
  const nodes = { ...call, args: { ...call.args, positional: ['node', ...positional] } };
  return each(nodes, unschedulable ? 'cordoned' : 'uncordoned', (api, kind, name) =>
    api.patch(kind, name, undefined, { spec: { unschedulable: unschedulable ? true : null } }),
  );
}

async function each(
  call: Call,
  done: string,
  change: (api: Api, kind: Kind, name: string, namespace: string | undefined) => unknown,
): Promise<Outcome> {
  const { api } = await connect(call);
  let stdout = '';
  for (const { kind, names } of targets(call.args)) {
    if (names.length === 0) throw new UsageError('name is required');
    for (const name of names) {
      change(api, kind, name, kind.namespaced ? namespaceOf(call) : undefined);
      stdout += `${qualified(kind)}/${name} ${done}\n`;
    }
  }
  return { stdout };
}

/** `node a b`, `node/a pod/b`, `nodes`. */
function targets({ positional }: Arguments): [Target, ...Target[]] {
  const [first, ...rest] = positional;
  if (first === undefined) throw new UsageError('you must specify the type of resource');
  if (!first.includes('/')) return [{ kind: typed(first), names: rest }];
  const paths = positional.map((path): Target => {
    const [type = '', name = ''] = path.split('/', 2);
    return { kind: typed(type), names: [name] };
  });
  return [paths[0]!, ...paths.slice(1)];
}

interface Target {
  kind: Kind;
  names: string[];
}

function typed(type: string): Kind {
  const kind = kindTyped(type);
  if (!kind) throw new UsageError(`the server doesn't have a resource type "${type}"`);
  return kind;
}

function namespaceOf({ args }: Call): string {
  return args.flags.get('namespace') ?? 'default';
}

function input({ args, machine, stdin }: Call): { name: string; text: string } {
  const name = args.flags.get('filename');
  if (name === undefined) throw new UsageError('must specify one of -f and -k');
  if (name === '-') return { name: 'STDIN', text: stdin };
  const text = machine.files.read(name);
  if (text === undefined) throw new UsageError(`the path "${name}" does not exist`);
  return { name, text };
}

const List = z.looseObject({ kind: z.literal('List'), items: z.array(z.unknown()) });

/** Every object of a YAML stream or JSON file; lists are opened. */
function documents(file: string, text: string): KubeObject[] {
  const parsed = parseAllDocuments(text);
  if (!Array.isArray(parsed)) throw new UsageError('no objects passed to apply');
  const contents = parsed.flatMap((document): unknown[] => {
    const [fault] = document.errors;
    if (fault) throw new UsageError(`error parsing ${file}: error converting YAML to JSON: ${fault.message}`);
    const content: unknown = document.toJS();
    const list = List.safeParse(content);
    if (list.success) return list.data.items;
    return content === null || content === undefined ? [] : [content];
  });
  if (contents.length === 0) throw new UsageError('no objects passed to apply');
  return contents.map((content) => {
    const object = KubeObject.safeParse(content);
    if (object.success) return object.data;
    const faults = object.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ');
    throw new UsageError(`error validating "${file}": error validating data: ${faults}`);
  });
}
