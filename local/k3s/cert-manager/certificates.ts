/** Certificates and their Orders. */
import type { Cluster } from '../cluster';
import { conditionsOf, type KubeObject, timestamp, withCondition } from '../objects';
import { tlsData } from '../tls-secret';
import type { Acme } from './acme';
import { Appointments } from './appointments';
import { issuerOf } from './issuers';
import { ACME, CERT_MANAGER, Certificate, Challenge, type Issuer, Order } from './objects';

/** A third of 90 days (https://cert-manager.io/docs/usage/certificate/#issuance-behavior-rotation-of-the-private-key). */
const RENEW_BEFORE = 30 * 24 * 3600_000;
/** After a failure: an hour, doubled each time up to 32 hours; the model does not double. */
const RETRY_AFTER = 3600_000;

const NAMES = `${CERT_MANAGER}/alt-names`;
const ISSUER = `${CERT_MANAGER}/issuer-name`;
const ISSUER_KIND = `${CERT_MANAGER}/issuer-kind`;
/** Not cert-manager's: it reads the certificate itself. */
const NOT_AFTER = `${CERT_MANAGER}/not-after`;
const OF = `${CERT_MANAGER}/certificate-name`;
const GENERATION = `${CERT_MANAGER}/certificate-generation`;

export class Certificates {
  private readonly steps: Appointments;

  constructor(
    private readonly cluster: Cluster,
    private readonly acme: Acme,
  ) {
    this.steps = new Appointments(cluster.model.world);
  }

  reconcile(): void {
    for (const object of this.cluster.api.list('Certificate')) this.care(object, Certificate.parse(object));
  }

  private care(object: KubeObject, certificate: Certificate): void {
    const { api } = this.cluster;
    const problem = this.problem(certificate);
    if (!problem) {
      const secret = api.get('Secret', certificate.spec.secretName, certificate.metadata.namespace);
      const message = 'Certificate is up to date and has not expired';
      this.say(object, [{ type: 'Ready', status: 'True', reason: 'Ready', message }], {
        notAfter: secret?.metadata.annotations?.[NOT_AFTER],
        revision: certificate.status?.revision ?? 1,
      });
      return;
    }
    const issuing = conditionsOf(object).find(({ type }) => type === 'Issuing');
    const ready = { type: 'Ready', status: 'False' as const, ...problem };
    const order = this.order(certificate);
    const state = order?.status?.state;
    if (order && (state === 'errored' || state === 'invalid')) {
      const reason = order.status?.reason ?? '';
      this.say(object, [ready, failed(order, state, reason)]);
      // A failed order is kept for people to look at until the next attempt.
      const since = Date.parse(order.status?.failureTime ?? '');
      if (this.now() - since >= RETRY_AFTER) api.forget(order);
      return;
    }
    if (issuing?.status !== 'True') this.say(object, [ready, { ...ready, type: 'Issuing', status: 'True' }]);
    this.proceed(certificate, order);
  }

  /** Why the secret does not do; undefined when it does. */
  private problem({ metadata, spec }: Certificate): { reason: string; message: string } | undefined {
    const secret = this.cluster.api.get('Secret', spec.secretName, metadata.namespace);
    if (!secret) return { reason: 'DoesNotExist', message: 'Issuing certificate as Secret does not exist' };
    const annotations = secret.metadata.annotations ?? {};
    const previous = `${annotations[ISSUER_KIND]}.${CERT_MANAGER}/${annotations[ISSUER]}`;
    if (previous !== `${spec.issuerRef.kind}.${CERT_MANAGER}/${spec.issuerRef.name}`) {
      const message = `Issuing certificate as Secret was previously issued by "${previous}"`;
      return { reason: 'IncorrectIssuer', message };
    }
    if (annotations[NAMES] !== [...spec.dnsNames].sort().join(',')) {
      return {
        reason: 'SecretMismatch',
        message: 'Existing issued Secret is not up to date for spec: [spec.dnsNames]',
      };
    }
    const notAfter = annotations[NOT_AFTER] ?? '';
    if (this.now() < Date.parse(notAfter) - RENEW_BEFORE) return undefined;
    return { reason: 'Renewing', message: `Renewing certificate as renewal was scheduled, it expires at ${notAfter}` };
  }

  private order({ metadata }: Certificate): Order | undefined {
    const orders = this.cluster.api.list('Order', metadata.namespace);
    const mine = orders.find(({ metadata: { annotations, ownerReferences } }) => {
      const current = annotations?.[GENERATION] === String(metadata.generation);
      return current && ownerReferences?.some(({ uid }) => uid === metadata.uid);
    });
    return mine && Order.parse(mine);
  }

  private proceed(certificate: Certificate, order: Order | undefined): void {
    const { namespace } = certificate.metadata;
    const issuer = issuerOf(this.cluster, certificate.spec.issuerRef, namespace);
    // Without an issuer that is ready it waits for one.
    if (issuer?.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') return;
    if (!order) this.ask(certificate);
    else if (order.status?.state === undefined) this.submit(order, issuer);
    else if (order.status.state === 'pending') this.settle(order);
    else if (order.status.state === 'ready') this.finalise(certificate, order, issuer);
  }

  private ask({ apiVersion, kind, metadata, spec }: Certificate): void {
    const { api, model } = this.cluster;
    const { name, namespace, uid = '', generation } = metadata;
    // What an earlier generation asked for is of no use any more.
    for (const old of api.list('Order', namespace)) {
      if (old.metadata.ownerReferences?.some((owner) => owner.uid === uid)) api.forget(old);
    }
    const suffix = `${model.world.random.hex(5)}-${1 + model.world.random.integer(4_000_000_000)}`;
    api.create({
      apiVersion: `${ACME}/v1`,
      kind: 'Order',
      metadata: {
        name: `${name}-1-${suffix}`,
        namespace,
        annotations: { [OF]: name, [GENERATION]: String(generation) },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
      },
      spec: { dnsNames: spec.dnsNames, issuerRef: spec.issuerRef },
    });
  }

  private submit(order: Order, issuer: Issuer): void {
    const { api, model } = this.cluster;
    const { name, namespace, uid = '' } = order.metadata;
    if (!this.steps.reached(`submit ${uid}`)) return;
    const refusal = this.acme.refusal(order.spec.dnsNames);
    if (refusal !== undefined) {
      this.fail(order, 'errored', `Failed to create Order: ${refusal}`);
      return;
    }
    const thumbprint = Buffer.from(model.world.random.hex(64), 'hex').toString('base64url');
    for (const dnsName of order.spec.dnsNames) {
      const token = Buffer.from(model.world.random.hex(64), 'hex').toString('base64url');
      api.create({
        apiVersion: `${ACME}/v1`,
        kind: 'Challenge',
        metadata: {
          name: `${name}-${1 + model.world.random.integer(4_000_000_000)}`,
          namespace,
          ownerReferences: [{ apiVersion: order.apiVersion, kind: 'Order', name, uid, controller: true }],
        },
        spec: {
          dnsName,
          token,
          key: `${token}.${thumbprint}`,
          type: 'HTTP-01',
          issuerRef: order.spec.issuerRef,
          solver: issuer.spec.acme.solvers[0],
        },
      });
    }
    api.update({ ...order, status: { state: 'pending' } });
  }

  private settle(order: Order): void {
    const { api } = this.cluster;
    const mine = api
      .list('Challenge', order.metadata.namespace)
      .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === order.metadata.uid))
      .map((object) => Challenge.parse(object));
    const invalid = mine.find(({ status }) => status?.state === 'invalid');
    if (invalid) {
      this.fail(order, 'invalid', `Failed to authorize "${invalid.spec.dnsName}": ${invalid.status?.reason}`);
    } else if (mine.length > 0 && mine.every(({ status }) => status?.state === 'valid')) {
      api.update({ ...order, status: { state: 'ready' } });
    }
    if (invalid || mine.every(({ status }) => status?.state === 'valid')) for (const one of mine) api.forget(one);
  }

  private finalise({ metadata, spec }: Certificate, order: Order, issuer: Issuer): void {
    const { api } = this.cluster;
    if (!this.steps.reached(`finalise ${order.metadata.uid}`)) return;
    const [first, ...more] = spec.dnsNames;
    const issued = this.acme.issue(issuer.spec.acme.server, [first!, ...more]);
    const name = spec.secretName;
    const before = api.get('Secret', name, metadata.namespace);
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        ...before?.metadata,
        name,
        namespace: metadata.namespace,
        annotations: {
          ...before?.metadata.annotations,
          [OF]: metadata.name,
          [ISSUER]: spec.issuerRef.name,
          [ISSUER_KIND]: spec.issuerRef.kind,
          [NAMES]: [...spec.dnsNames].sort().join(','),
          [NOT_AFTER]: timestamp(issued.notAfter),
        },
      },
      type: 'kubernetes.io/tls',
      data: tlsData(issued.certificate),
    };
    if (before) api.update(secret);
    else api.create(secret);
    api.update({ ...order, status: { state: 'valid' } });
  }

  private fail(order: Order, state: 'errored' | 'invalid', reason: string): void {
    this.cluster.api.update({ ...order, status: { state, reason, failureTime: timestamp(this.now()) } });
  }

  private say(object: KubeObject, conditions: readonly Said[], more: Record<string, unknown> = {}): void {
    const at = timestamp(this.now());
    let all = conditions.some(({ type }) => type === 'Issuing')
      ? conditionsOf(object)
      : conditionsOf(object).filter(({ type }) => type !== 'Issuing');
    for (const condition of conditions) all = withCondition(all, condition, at);
    const stated = all.map(({ lastHeartbeatTime: _, ...condition }) => condition);
    this.cluster.api.update({
      ...object,
      status: { ...Certificate.parse(object).status, ...more, conditions: stated },
    });
  }

  private now(): number {
    return this.cluster.model.world.clock.now();
  }
}

interface Said {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
}

function failed(order: Order, state: string, reason: string): Said {
  const message =
    'The certificate request has failed to complete and will be retried: Failed to wait for order resource ' +
    `"${order.metadata.name}" to become ready: order is in "${state}" state: ${reason}`;
  return { type: 'Issuing', status: 'False', reason: 'Failed', message };
}
