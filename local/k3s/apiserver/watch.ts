/** Watches: what changes, line by line, from a revision on (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). */
import type { HttpResponse } from '../../network';
import type { Kind } from '../kinds';
import type { KubeObject } from '../objects';
import type { ServerProcess } from '../server';
import { failure, JSON_TYPE, statusObject } from './status';

/** How often a watch looks; a real one is told. AWS time, ms. */
const EVERY = 1000;

export interface WatchOptions {
  kind: Kind;
  namespace: string | undefined;
  selected(object: KubeObject): boolean;
  /** As the client wants to see one object. */
  show(object: KubeObject): unknown;
  /** Undefined: what is there now comes first, as added. */
  revision: number | undefined;
  /** ms. */
  limit: number;
}

/** Streams until the limit, or until this server cannot serve any more. */
export function watch(server: ServerProcess, options: WatchOptions): HttpResponse {
  const { kind, revision } = options;
  const { etcd, api } = server.cluster!;
  if (kind.kind === 'Lease' || kind.kind === 'EndpointSlice') {
    return failure('MethodNotAllowed', `the model of K3s cannot watch ${kind.plural}: list them again instead`);
  }
  const present = revision === undefined ? api.list(kind.kind, options.namespace).filter(options.selected) : [];
  const lines = present.map((object) => event('ADDED', options.show(object)));
  return {
    status: 200,
    headers: JSON_TYPE,
    body: lines.join(''),
    stream: (gone) => follow(server, options, revision ?? etcd.revision, gone),
  };
}

async function* follow(
  server: ServerProcess,
  { kind, namespace, selected, show, limit }: WatchOptions,
  since: number,
  gone: AbortSignal,
): AsyncGenerator<string> {
  const cluster = server.cluster!;
  const { clock } = server.machine.model.world;
  const until = clock.now() + limit;
  let revision = since;
  while (clock.now() < until && cluster.serves(server)) {
    const changes = cluster.etcd.changesSince(revision);
    if (!changes) {
      yield event('ERROR', statusObject('Expired', `too old resource version: ${revision} (${cluster.etcd.revision})`));
      return;
    }
    for (const { before, after } of changes) {
      const mine = (object: KubeObject | undefined) =>
        object?.kind === kind.kind &&
        (namespace === undefined || object.metadata.namespace === namespace) &&
        selected(object);
      if (after && mine(after)) yield event(mine(before) ? 'MODIFIED' : 'ADDED', show(after));
      // Also one that is there still, but not selected any more.
      else if (before && mine(before)) yield event('DELETED', show(before));
    }
    revision = cluster.etcd.revision;
    await server.machine.pause(EVERY, gone);
  }
}

function event(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
