/**
 * HTTP-01 challenges: each puts a pod that knows the answer behind an Ingress of its own, asks for it as Let's Encrypt will
 * (the self check), and only then lets Let's Encrypt ask (https://cert-manager.io/docs/configuration/acme/http01/).
 */
import { createHash } from 'node:crypto';
import { ApiError } from '../api';
import type { Cluster } from '../cluster';
import type { KubeObject } from '../objects';
import { programOf } from '../rules';
import { route } from '../traefik';
import { type Acme, SOLVER_LABEL } from './acme';
import { Appointments } from './appointments';
import { Challenge } from './objects';
import { obstacle } from './outlet';
import { CHALLENGE_PATH } from './solver';

/** cert-manager asks again after ten seconds. */
const SELF_CHECK_EVERY = 10_000;
const PORT = 8089;

export class Challenges {
  private readonly steps: Appointments;
  /** Self checks on their way, by UID. */
  private readonly asking = new Set<string>();

  constructor(
    private readonly cluster: Cluster,
    private readonly acme: Acme,
  ) {
    this.steps = new Appointments(cluster.model.world);
  }

  reconcile(): void {
    for (const object of this.cluster.api.list('Challenge')) {
      const challenge = Challenge.parse(object);
      const { uid = '' } = object.metadata;
      const state = challenge.status?.state ?? 'pending';
      if (state !== 'pending') continue;
      try {
        this.present(challenge);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.say(object, { state, presented: false, reason: error.message });
        continue;
      }
      if (!challenge.status?.presented) this.say(object, { state, presented: true });
      else if (this.steps.reached(`check ${uid}`, () => SELF_CHECK_EVERY)) this.check(challenge);
    }
  }

  /** What is missing of a pod, a Service and an Ingress; they go with the challenge. */
  private present({ apiVersion, kind, metadata, spec }: Challenge): void {
    const { api } = this.cluster;
    const create = (object: KubeObject) => {
      if (!api.get(object.kind, object.metadata.name, object.metadata.namespace)) api.create(object);
    };
    const token = createHash('sha256').update(spec.token).digest('hex');
    const name = `cm-acme-http-solver-${token.slice(0, 5)}`;
    const labels = { [SOLVER_LABEL]: 'true', 'acme.cert-manager.io/http-token': token.slice(0, 10) };
    const ownerReferences = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true }];
    const own = { name, namespace: metadata.namespace, labels, ownerReferences };
    create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: own,
      spec: {
        restartPolicy: 'OnFailure',
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'acmesolver',
            image: 'quay.io/jetstack/cert-manager-acmesolver',
            args: [`--listen-port=${PORT}`, `--domain=${spec.dnsName}`, `--token=${spec.token}`, `--key=${spec.key}`],
            ports: [{ name: 'http', containerPort: PORT }],
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
          },
        ],
      },
      status: { phase: 'Pending' },
    });
    const { ingressClassName, class: className, serviceType } = spec.solver.http01.ingress;
    const ports = [{ name: 'http', port: PORT, targetPort: PORT }];
    create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: own,
      spec: { type: serviceType, ports, selector: labels },
    });
    const backend = { service: { name, port: { number: PORT } } };
    const path = { path: `${CHALLENGE_PATH}${spec.token}`, pathType: 'ImplementationSpecific', backend };
    create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: own,
      spec: {
        ingressClassName: ingressClassName ?? className,
        rules: [{ host: spec.dnsName, http: { paths: [path] } }],
      },
    });
  }

  private check(challenge: Challenge): void {
    const { uid = '', name, namespace } = challenge.metadata;
    if (this.asking.has(uid)) return;
    this.asking.add(uid);
    void this.ask(challenge).then((problem) => {
      this.asking.delete(uid);
      const { api } = this.cluster;
      const object = api.get('Challenge', name, namespace);
      if (object?.metadata.uid !== uid || !this.cluster.etcd.writable) return;
      if (problem === undefined)
        this.say(object, { state: 'valid', presented: true, reason: 'Successfully authorized domain' });
      else
        this.say(object, {
          state: 'pending',
          presented: true,
          reason: `Waiting for HTTP-01 challenge propagation: ${problem}`,
        });
    });
  }

  /** Why the answer is not there; undefined when it is. It enters at a Traefik, as whoever comes through the load balancer. */
  private async ask({ spec }: Challenge): Promise<string | undefined> {
    const { api, model } = this.cluster;
    const { dnsName, token, key } = spec;
    const url = `http://${dnsName}${CHALLENGE_PATH}${token}`;
    const failed = (why: string) => `failed to perform self check GET request '${url}': Get "${url}": ${why}`;
    if (!this.acme.leadsHere(api, dnsName)) return failed(`dial tcp: lookup ${dnsName} on 10.43.0.10:53: no such host`);
    const obstructed = obstacle(this.cluster, dnsName, 80);
    if (obstructed !== undefined) return failed(obstructed);
    const doors = [...model.machines.values()].flatMap((machine) => {
      const container = machine.alive() ? machine.containers.running((pod) => programOf(pod) === 'traefik') : undefined;
      return container ? [{ machine, pod: container.pod }] : [];
    });
    if (doors.length === 0) return failed(`dial tcp ${dnsName}:80: connect: connection refused`);
    const { machine, pod } = model.world.random.pick(doors);
    try {
      const path = `${CHALLENGE_PATH}${token}`;
      const request = { method: 'GET', path, headers: { host: dnsName }, body: '', clientAddress: '192.0.2.1' };
      const { status, body = '' } = await route(machine, pod, 'web', request);
      if (status !== 200) return `wrong status code '${status}', expected '200'`;
      return body === key
        ? undefined
        : `did not get expected response when querying endpoint, expected "${key}" but got: ${body.slice(0, 24)}... (truncated)`;
    } catch {
      // The machine went while it was asked.
      return failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
    }
  }

  private say(object: KubeObject, status: Record<string, unknown>): void {
    this.cluster.api.update({ ...object, status: { ...status, processing: status.state === 'pending' } });
  }
}
