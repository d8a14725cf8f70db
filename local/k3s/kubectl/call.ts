/** One call of kubectl: what it was given, whom it talks to, what it speaks of and how it may end. */
import type { Api } from '../api';
import { type Arguments, seconds, UsageError } from '../arguments';
import type { MachineContext } from '../command';
import { type Kind, kindTyped } from '../kinds';
import type { ServerMachine } from '../machine';
import type { ServerProcess } from '../server';
import { KUBECONFIG } from '../server/disk';

export const REFUSED = (server: string) =>
  `The connection to the server ${server} was refused - did you specify the right host or port?`;

/** The API server gives up on etcd after this long. */
const ETCD_TIMEOUT = 7_000;

/** Ends a command with an exit code of 1 and this text. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

export interface Call {
  machine: ServerMachine;
  context: MachineContext;
  args: Arguments;
  stdin: string;
}

export interface Outcome {
  stdout: string;
  /** Not empty: the command failed in part. */
  stderr?: string;
  /** Printed to stderr as well; they fail nothing. */
  warnings?: string;
}

/** The API server on this machine, once it answers. */
export async function connect({ machine, context, args }: Call): Promise<{ api: Api; server: ServerProcess }> {
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

/** `node a b`, `node/a pod/b`, `nodes`. */
export function targets({ positional }: Arguments): [Target, ...Target[]] {
  const [first, ...rest] = positional;
  if (first === undefined) throw new UsageError('you must specify the type of resource');
  if (!first.includes('/')) return [{ kind: typed(first), names: rest }];
  const paths = positional.map((path): Target => {
    const [type = '', name = ''] = path.split('/', 2);
    return { kind: typed(type), names: [name] };
  });
  return [paths[0]!, ...paths.slice(1)];
}

export interface Target {
  kind: Kind;
  names: string[];
}

function typed(type: string): Kind {
  const kind = kindTyped(type);
  if (!kind) throw new UsageError(`the server doesn't have a resource type "${type}"`);
  return kind;
}

export function namespaceOf({ args }: Call): string {
  return args.flags.get('namespace') ?? 'default';
}

export function input({ args, machine, stdin }: Call): { name: string; text: string } {
  const name = args.flags.get('filename');
  if (name === undefined) throw new UsageError('must specify one of -f and -k');
  if (name === '-') return { name: 'STDIN', text: stdin };
  const text = machine.files.read(name);
  if (text === undefined) throw new UsageError(`the path "${name}" does not exist`);
  return { name, text };
}
