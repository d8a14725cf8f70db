/**
 * What a server answers over HTTP: the supervisor and API server on 6443, etcd's health on 2381. Only what needs no
 * credentials is modelled; everything else is refused as the real ones refuse a stranger.
 */
import type { HttpResponse } from '../network';
import type { ServerProcess } from './server';

interface Request {
  method: string;
  /** With or without a query. */
  path: string;
}

/** An answer on 6443. From loopback K3s also tells the etcd members (auth.IsLocalOrHasRole in k3s pkg/server/auth). */
export function answer(server: ServerProcess, { method, path }: Request, loopback: boolean): HttpResponse {
  const [route = ''] = path.split('?', 1);
  if (method !== 'GET' && method !== 'HEAD') return unauthorized();
  if (route === '/ping') return { status: 200, headers: PLAIN, body: 'pong' };
  if (route === '/cacerts') {
    return { status: 200, headers: PLAIN, body: server.cluster?.identity.authority.cert ?? '' };
  }
  if (route === '/db/info' && loopback) return members(server);
  if (server.apiReady) return unauthorized();
  return status(503, 'ServiceUnavailable', 'apiserver not ready');
}

/** `http://127.0.0.1:2381/health`; undefined when no etcd runs. It answers 503 when it is not healthy. */
export function etcdHealth(server: ServerProcess | undefined): HttpResponse | undefined {
  if (!server?.etcdRunning) return undefined;
  const healthy = server.cluster!.etcd.inContact(server.memberId!);
  return { status: healthy ? 200 : 503, body: `{"health":"${healthy}"}` };
}

/** infoHandler in k3s pkg/etcd/etcd.go. A learner cannot serve the list, a member without quorum neither. */
function members({ cluster, memberId }: ServerProcess): HttpResponse {
  const own = memberId === undefined ? undefined : cluster?.etcd.member(memberId);
  if (!cluster || !own || own.learner || !cluster.etcd.inContact(own.id)) {
    return status(500, 'InternalError', 'failed to get etcd MemberList: context deadline exceeded');
  }
  const list = cluster.etcd.members.map(({ id, name, address, learner }) => {
    const fields = [`"ID":${id}`];
    // etcd leaves out what is empty: a member that never started has no name and no client URLs.
    if (name) fields.push(`"name":${JSON.stringify(name)}`);
    fields.push(`"peerURLs":["https://${address}:2380"]`);
    if (name) fields.push(`"clientURLs":["https://${address}:2379"]`);
    if (learner) fields.push('"isLearner":true');
    return `{${fields.join(',')}}`;
  });
  return { status: 200, headers: JSON_TYPE, body: `{"members":[${list.join(',')}]}\n` };
}

const PLAIN = { 'content-type': 'text/plain' };
const JSON_TYPE = { 'content-type': 'application/json' };

function unauthorized(): HttpResponse {
  return status(401, 'Unauthorized', 'Unauthorized');
}

function status(code: number, reason: string, message: string): HttpResponse {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  return { status: code, headers: JSON_TYPE, body: JSON.stringify(body) };
}
