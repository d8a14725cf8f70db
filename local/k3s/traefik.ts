/** The packaged Traefik: Ingress to Service to pod, with the answers it gives when a step fails. */
import type { HttpRequest, HttpResponse } from '../network';
import { pick, reachable } from './balancing';
import { solve } from './cert-manager/solver';
import type { ServerMachine } from './machine';
import { targetPort } from './network-policy';
import type { Ingress, Pod } from './objects';
import type { Rules } from './rules';

export type EntryPoint = 'web' | 'websecure';

/** Traefik's dial timeout towards a backend (forwardingTimeouts.dialTimeout, default 30 s). */
export const DIAL_TIMEOUT = 30_000;

const ENTRY_POINTS = 'traefik.ingress.kubernetes.io/router.entrypoints';

/** `machine` is where the Traefik pod `own` runs: it routes by what it last learned from the API. */
export async function route(
  machine: ServerMachine,
  own: Pod,
  entryPoint: EntryPoint,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { rules } = machine.containers;
  if (!rules) return text(404, '404 page not found\n');
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const path = request.path.split('?', 1)[0] || '/';
  if (entryPoint === 'web' && rules.traefik.redirects) {
    return { status: 308, headers: { location: `https://${host}${request.path}` } };
  }
  const found = match(rules, entryPoint, host, path);
  if (!found) return text(404, '404 page not found\n');
  const backend = rules.services.find(
    ({ service }) => service.metadata.name === found.service && service.metadata.namespace === found.namespace,
  );
  const served = backend?.service.spec.ports.find(({ port, name }) => port === found.port || name === found.port);
  if (!backend || !served) return text(404, '404 page not found\n');
  // Traefik balances over pod addresses by itself, unless told to leave that to the Service: only then kube-proxy's
  // preference for the own node counts (https://doc.traefik.io/traefik/routing/providers/kubernetes-ingress/).
  const native = backend.service.metadata.annotations?.['traefik.ingress.kubernetes.io/service.nativelb'] === 'true';
  const endpoint = native
    ? pick(machine, backend.service, backend.endpoints)
    : backend.endpoints[machine.model.world.random.integer(backend.endpoints.length)];
  if (!endpoint) return text(503, 'no available server\n');
  // kube-router rejects what no policy allows, and Traefik finds the connection refused.
  if (!rules.policies.permits({ pod: own }, { pod: endpoint.pod }, targetPort(endpoint.pod, served))) {
    return text(502, 'Bad Gateway');
  }
  const container = reachable(machine, endpoint);
  if (!container) {
    await machine.pause(DIAL_TIMEOUT);
    return text(504, 'Gateway Timeout');
  }
  if (endpoint.program === 'solver') return solve(container.pod, host, path);
  if (endpoint.program !== 'web' || container.page === undefined) return text(502, 'Bad Gateway');
  if (path === '/healthz') return text(200, 'ok\n');
  return {
    status: 200,
    headers: { 'content-type': 'text/html', 'cache-control': 'no-store' },
    body: container.page,
  };
}

interface Backend {
  namespace: string;
  service: string;
  port: number | string | undefined;
}

/** Traefik prefers the longest rule; a rule with a host is longer than one without. */
function match(rules: Rules, entryPoint: EntryPoint, host: string, path: string): Backend | undefined {
  let best: { length: number; backend: Backend } | undefined;
  for (const ingress of rules.ingresses) {
    if (!accepts(ingress, entryPoint)) continue;
    for (const rule of ingress.spec.rules) {
      if (rule.host !== undefined && !sameHost(rule.host, host)) continue;
      for (const { path: prefix, pathType, backend } of rule.http?.paths ?? []) {
        if (!covers(prefix, pathType, path)) continue;
        const length = prefix.length + (rule.host === undefined ? 0 : 1000 + rule.host.length);
        if (best && best.length >= length) continue;
        const { name, port } = backend.service;
        best = {
          length,
          backend: { namespace: ingress.metadata.namespace ?? '', service: name, port: port.number ?? port.name },
        };
      }
    }
  }
  return best?.backend;
}

function accepts({ metadata, spec }: Ingress, entryPoint: EntryPoint): boolean {
  if (spec.ingressClassName !== undefined && spec.ingressClassName !== 'traefik') return false;
  const only = metadata.annotations?.[ENTRY_POINTS];
  return only === undefined || only.split(',').some((name) => name.trim() === entryPoint);
}

function sameHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern.toLowerCase() === host;
  return host.slice(host.indexOf('.') + 1) === pattern.slice(2).toLowerCase();
}

function covers(prefix: string, type: string, path: string): boolean {
  if (type === 'Exact') return path === prefix;
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path === base || path.startsWith(`${base}/`);
}

function text(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
