/** What a server answers over HTTP: the supervisor and API server on 6443, etcd's health on 2381. */
import type { ClientIdentity, HttpResponse } from '../network';
import { serveApi } from './apiserver';
import { failure, JSON_TYPE } from './apiserver/status';
import type { ServerProcess } from './server';
import { ADMINISTRATORS } from './server/disk';

interface Request {
  method: string;
  /** With or without a query. */
  path: string;
  /** Names in lower case. */
  headers?: Record<string, string>;
  /** Who the client proved to be, if anybody. */
  client?: ClientIdentity;
}

/** An answer on 6443. From loopback K3s also tells the etcd members (auth.IsLocalOrHasRole in k3s pkg/server/auth). */
export async function answer(server: ServerProcess, request: Request, loopback: boolean): Promise<HttpResponse> {
  const { method, path, headers = {}, client } = request;
  const [route = ''] = path.split('?', 1);
  const reads = method === 'GET' || method === 'HEAD';
  if (reads && route === '/ping') return { status: 200, headers: PLAIN, body: 'pong' };
  if (reads && route === '/cacerts') {
    return { status: 200, headers: PLAIN, body: server.cluster?.identity.authority.cert ?? '' };
  }
  if (reads && route === '/db/info' && loopback) return members(server);
  if (!server.apiReady) return failure('ServiceUnavailable', 'apiserver not ready');
  if (!client) return failure('Unauthorized', 'Unauthorized');
  if (!client.organizations.includes(ADMINISTRATORS)) {
    return failure(
      'Forbidden',
      `forbidden: User "${client.commonName}" cannot ${method.toLowerCase()} path "${route}"`,
    );
  }
  return serveApi(server, { method, path, headers });
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
    return failure('InternalError', 'failed to get etcd MemberList: context deadline exceeded');
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
