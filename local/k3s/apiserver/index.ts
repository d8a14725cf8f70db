/**
 * The Kubernetes API on 6443, for people with the administrator's certificate: everything that reads. It changes nothing:
 * kubectl on a server does (`local/k3s/kubectl.ts`), which is how this project writes.
 */
import type { HttpResponse } from '../../network';
import { ApiError } from '../api';
import { allKinds, group, type Kind, resource } from '../kinds';
import type { KubeObject } from '../objects';
import { minorOf } from '../release';
import { fieldSelector, labelSelector, SelectorError } from '../selectors';
import type { ServerProcess } from '../server';
import { discovery } from './discovery';
import { getObject, listObjects } from './resources';
import { failure, refusal, success } from './status';
import { type IncludeObject, tableOf, wantsTable } from './table';
import { watch } from './watch';

/** The API server gives up on etcd after this long. */
const ETCD_TIMEOUT = 7_000;
/** A watch ends by itself after half an hour to an hour (`--min-request-timeout`). */
const WATCH_LIMIT = 1800_000;

/** A request of somebody who may do everything. */
export interface ApiRequest {
  method: string;
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

export async function serveApi(server: ServerProcess, request: ApiRequest): Promise<HttpResponse> {
  const url = new URL(request.path, 'https://kubernetes');
  const cluster = server.cluster!;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const what = `${request.method} ${url.pathname}`;
    return failure(
      'MethodNotAllowed',
      `the model of K3s answers reads only, and this is ${what}: the cluster's workflow changes things here`,
    );
  }
  if (url.pathname === '/livez' || url.pathname === '/healthz') return { status: 200, body: 'ok' };
  if (url.pathname === '/version') return success(version(server));
  if (!cluster.serves(server)) {
    await server.machine.pause(ETCD_TIMEOUT);
    if (!cluster.serves(server)) return failure('InternalError', 'etcdserver: request timed out');
  }
  if (url.pathname === '/readyz') return { status: 200, body: 'ok' };
  const document = discovery(cluster.api, url.pathname);
  if (document) return success(document);
  const target = targetOf(server, url.pathname);
  if (!target) return unknown(url.pathname);
  try {
    return target.name === undefined
      ? many(server, target.kind, target.namespace, url.searchParams, request)
      : one(server, target.kind, target.namespace, target.name, request, url.searchParams);
  } catch (error) {
    if (error instanceof SelectorError) return failure('BadRequest', error.message);
    return refusal(error);
  }
}

/** What a path below `/api` or `/apis` means, subresources not. */
interface Target {
  kind: Kind;
  namespace: string | undefined;
  name: string | undefined;
}

const PATH = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\/(?:namespaces\/([^/]+)\/)?([a-z]+)(?:\/([^/]+))?$/;

function targetOf({ cluster }: ServerProcess, path: string): Target | undefined {
  const match = PATH.exec(path);
  if (!match) return undefined;
  const [, core, grouped, namespace, plural, name] = match;
  const kind = allKinds().find((one) => one.plural === plural && one.apiVersion === (core ?? grouped));
  if (!kind || !cluster!.api.serves(kind)) return undefined;
  if (!kind.namespaced && namespace !== undefined) return undefined;
  return { kind, namespace, name: name === undefined ? undefined : decodeURIComponent(name) };
}

function unknown(path: string): HttpResponse {
  const subresource = /^\/apis?\/.+\/([a-z]+)\/([^/]+)\/(log|exec|attach|portforward|proxy|scale|status)$/.exec(path);
  if (subresource) return failure('MethodNotAllowed', `the model of K3s has no subresource ${subresource[3]}`);
  return failure('NotFound', 'the server could not find the requested resource', {});
}

function one(
  server: ServerProcess,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  { headers }: ApiRequest,
  query: URLSearchParams,
): HttpResponse {
  const object = getObject(server.cluster!, kind, name, namespace);
  if (!object) {
    const details = { name, kind: kind.plural, ...(group(kind) && { group: group(kind) }) };
    return failure('NotFound', `${resource(kind)} "${name}" not found`, details);
  }
  return success(shown(server, kind, [object], headers, query) ?? object);
}

function many(
  server: ServerProcess,
  kind: Kind,
  namespace: string | undefined,
  query: URLSearchParams,
  { headers }: ApiRequest,
): HttpResponse {
  const cluster = server.cluster!;
  const labelled = labelSelector(query.get('labelSelector') ?? undefined);
  const fielded = fieldSelector(kind.kind, query.get('fieldSelector') ?? undefined);
  const selected = (object: KubeObject) => labelled(object) && fielded(object);
  if (query.get('watch') === 'true' || query.get('watch') === '1') {
    const since = query.get('resourceVersion');
    return watch(server, {
      kind,
      namespace,
      selected,
      show: (object) => shown(server, kind, [object], headers, query) ?? object,
      revision: since === null || since === '' || since === '0' ? undefined : revisionOf(since),
      limit: query.has('timeoutSeconds') ? Number(query.get('timeoutSeconds')) * 1000 : WATCH_LIMIT,
    });
  }
  const objects = listObjects(cluster, kind, namespace).filter(selected);
  const metadata = { resourceVersion: String(cluster.api.revision) };
  const list = { kind: `${kind.kind}List`, apiVersion: kind.apiVersion, metadata, items: objects };
  return success(shown(server, kind, objects, headers, query) ?? list);
}

function revisionOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new ApiError('BadRequest', `invalid resource version: ${text}`);
  return Number(text);
}

/** As a table, when the client prefers one. */
function shown(
  { cluster, machine }: ServerProcess,
  kind: Kind,
  objects: readonly KubeObject[],
  headers: Record<string, string>,
  query: URLSearchParams,
): unknown {
  if (!wantsTable(headers.accept ?? '')) return undefined;
  const asked = query.get('includeObject');
  const include: IncludeObject = asked === 'None' || asked === 'Object' ? asked : 'Metadata';
  return tableOf(kind, objects, { include, now: machine.model.world.clock.now(), revision: cluster!.api.revision });
}

function version({ release }: ServerProcess) {
  return {
    major: '1',
    minor: String(minorOf(release)),
    gitVersion: release.version,
    gitTreeState: 'clean',
    compiler: 'gc',
    platform: `linux/${release.architecture}`,
  };
}
