/**
 * The ports a node answers on for its pods: NodePorts (kube-proxy) and the ports of LoadBalancer services (ServiceLB).
 * They depend on what the node last learned from the API and on its own containers, not on K3s being alive.
 */
import type { Certificate, HttpRequest, HttpResponse, Listening, NetworkService } from '../network';
import { pick, reachable } from './balancing';
import type { Container } from './containers';
import { aborted, type ServerMachine } from './machine';
import { type End, targetPort } from './network-policy';
import type { Service } from './objects';
import { createAuthority, type Identity, issue } from './pki';
import type { Endpoint, Rules } from './rules';
import { DIAL_TIMEOUT, type EntryPoint, route } from './traefik';

/** The load balancer's health check, whatever image answers it. */
const ECHO_PORT = 32000;

interface Wanted {
  /** Equal for equal listeners. */
  key: string;
  service: NetworkService;
}

export class DataPlane {
  private readonly open = new Map<number, { key: string; listening: Promise<Listening> }>();
  /** The last close of each port: the next listener waits for it. */
  private readonly closing = new Map<number, Promise<void>>();
  private certificate: Identity | undefined;

  constructor(private readonly machine: ServerMachine) {}

  sync(): void {
    const { rules } = this.machine.containers;
    if (!this.machine.on || !rules) return;
    const wanted = this.wanted(rules);
    for (const [port, { key }] of [...this.open]) if (wanted.get(port)?.key !== key) this.shut(port);
    for (const [port, { key, service }] of wanted) {
      if (this.open.has(port)) continue;
      const { network, world } = this.machine.model;
      const before = this.closing.get(port) ?? Promise.resolve();
      const listening = before.then(() => network.listen(this.machine.address, port, service));
      this.open.set(port, { key, listening });
      listening.catch((error: unknown) => {
        world.log('a node cannot listen', { address: this.machine.address, port, error: String(error) });
      });
    }
  }

  close(): void {
    for (const port of [...this.open.keys()]) this.shut(port);
  }

  private shut(port: number): void {
    const entry = this.open.get(port);
    if (!entry) return;
    this.open.delete(port);
    const closed = entry.listening.then(
      (listening) => listening.close(),
      // It never opened, which was said when it failed.
      () => {},
    );
    this.closing.set(port, closed);
  }

  private wanted(rules: Rules): Map<number, Wanted> {
    const wanted = new Map<number, Wanted>();
    for (const { service, endpoints } of rules.services) {
      const { type, ports, externalTrafficPolicy } = service.spec;
      if (type !== 'NodePort' && type !== 'LoadBalancer') continue;
      const own = endpoints.filter((endpoint) => endpoint.address === this.machine.address && this.runs(endpoint.uid));
      const usable = externalTrafficPolicy === 'Local' ? own : endpoints;
      if (usable.length === 0) continue;
      const { namespace, name } = service.metadata;
      const balancers = rules.balancers.get(`${namespace}/${name}`);
      const balanced = [...(balancers ?? [])]
        .map((uid) => this.machine.containers.get(uid))
        .find((container) => container?.running);
      for (const port of ports) {
        if (port.protocol !== 'TCP') continue;
        const admits = (from: End) =>
          usable.some(({ pod }) => rules.policies.permits(from, { pod }, targetPort(pod, port)));
        const answer = this.answer(rules, service, port, externalTrafficPolicy === 'Local');
        if (!answer) continue;
        if (port.nodePort !== undefined && admits('network')) wanted.set(port.nodePort, answer);
        if (type === 'LoadBalancer' && balanced && admits({ pod: balanced.pod })) wanted.set(port.port, answer);
      }
    }
    return wanted;
  }

  private runs(uid: string): boolean {
    return this.machine.containers.get(uid)?.running === true;
  }

  private answer(
    rules: Rules,
    service: Service,
    port: Service['spec']['ports'][number],
    local: boolean,
  ): Wanted | undefined {
    const path = `${service.metadata.namespace}/${service.metadata.name}:${port.port}`;
    const program = rules.services.find((candidate) => candidate.service === service)?.endpoints[0]?.program;
    if (port.nodePort === ECHO_PORT || program === 'echo') return { key: `echo ${path}`, service: { kind: 'echo' } };
    const { name, namespace } = service.metadata;
    type Use = (machine: ServerMachine, request: HttpRequest, container: Container) => Promise<HttpResponse>;
    const forward = (use: Use) => {
      return async (request: HttpRequest): Promise<HttpResponse> => {
        if (!this.machine.alive()) return aborted(this.machine.signal);
        const current = this.machine.containers.rules?.services.find(
          (candidate) => candidate.service.metadata.name === name && candidate.service.metadata.namespace === namespace,
        );
        const known: Endpoint[] = current?.endpoints ?? [];
        const usable = local ? known.filter(({ address }) => address === this.machine.address) : known;
        const endpoint = pick(this.machine, current?.service ?? service, usable);
        const container = endpoint && reachable(this.machine, endpoint);
        if (!endpoint || !container) {
          // The connection hangs and then fails; over HTTP this is the nearest thing.
          await this.machine.pause(DIAL_TIMEOUT);
          return { status: 504, body: 'Gateway Timeout' };
        }
        const target = this.machine.model.machineAt(endpoint.address) ?? this.machine;
        return use(target, request, container);
      };
    };
    if (program === 'web') {
      const respond = forward(async (_machine, _request, { page }) => ({
        status: 200,
        headers: { 'content-type': 'text/html', 'cache-control': 'no-store' },
        body: page ?? '',
      }));
      return { key: `web ${path}`, service: { kind: 'http', respond } };
    }
    if (program === 'traefik') {
      const entryPoint: EntryPoint = port.targetPort === 'websecure' ? 'websecure' : 'web';
      const proxyProtocol = rules.traefik.proxyProtocol[entryPoint];
      const tls =
        entryPoint === 'websecure'
          ? { ...this.defaultCertificate(), select: (name: string) => this.certificateFor(name) }
          : undefined;
      const respond = forward((machine, request, { pod }) => route(machine, pod, entryPoint, request));
      return { key: `${entryPoint} ${path} ${proxyProtocol}`, service: { kind: 'http', tls, proxyProtocol, respond } };
    }
    return undefined;
  }

  /** Of the Ingress that names this host, or its wildcard. */
  private certificateFor(name: string): Certificate | undefined {
    const certificates = this.machine.containers.rules?.certificates;
    const host = name.toLowerCase();
    return certificates?.get(host) ?? certificates?.get(`*${host.slice(host.indexOf('.'))}`);
  }

  /** What Traefik shows when it has no certificate for a name. */
  private defaultCertificate(): Identity {
    const { random, clock } = this.machine.model.world;
    this.certificate ??= issue(
      createAuthority('TRAEFIK DEFAULT CERT', random, clock.now()),
      { commonName: 'TRAEFIK DEFAULT CERT', addresses: [], names: ['traefik.default'] },
      random,
      clock.now(),
    );
    return this.certificate;
  }
}
