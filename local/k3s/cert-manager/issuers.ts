/** Issuers: each registers an account with its ACME server, once. */
import type { Cluster } from '../cluster';
import type { KubeObject } from '../objects';
import { conditionsOf, timestamp, withCondition } from '../objects';
import type { Acme } from './acme';
import { Appointments } from './appointments';
import { Issuer, type IssuerRef } from './objects';
import { obstacle } from './outlet';

export class Issuers {
  private readonly registrations: Appointments;

  constructor(
    private readonly cluster: Cluster,
    private readonly acme: Acme,
  ) {
    this.registrations = new Appointments(cluster.model.world);
  }

  reconcile(): void {
    const { api } = this.cluster;
    for (const object of [...api.list('ClusterIssuer'), ...api.list('Issuer')]) {
      const issuer = Issuer.parse(object);
      const ready = issuer.status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.observedGeneration === issuer.metadata.generation) continue;
      const { uid, generation } = issuer.metadata;
      if (this.registrations.reached(`${uid} ${generation}`)) this.register(object, issuer);
    }
  }

  private register(object: KubeObject, { metadata, spec: { acme } }: Issuer): void {
    const { api, model } = this.cluster;
    const host = new URL(acme.server).host;
    const obstructed = obstacle(this.cluster, host, 443);
    const problem = obstructed ?? (this.acme.knows(acme.server) ? undefined : `dial tcp: lookup ${host}: no such host`);
    const ready =
      problem === undefined
        ? {
            status: 'True' as const,
            reason: 'ACMEAccountRegistered',
            message: 'The ACME account was registered with the ACME server',
          }
        : {
            status: 'False' as const,
            reason: 'ErrRegisterACMEAccount',
            message: `Failed to register ACME account: Get "${acme.server}": ${problem}`,
          };
    const at = timestamp(model.world.clock.now());
    const conditions = withCondition(conditionsOf(object), { type: 'Ready', ...ready }, at).map(
      // Nobody will make a server that does not exist; what is in the way may go.
      ({ lastHeartbeatTime: _, ...condition }) => ({
        ...condition,
        observedGeneration: obstructed === undefined ? metadata.generation : undefined,
      }),
    );
    const account = `https://${host}/acme/acct/${1 + model.world.random.integer(900_000_000)}`;
    const status = { conditions, acme: problem === undefined ? { uri: account, lastRegisteredEmail: acme.email } : {} };
    api.update({ ...object, status });
    // A cluster's issuer keeps its account's key beside cert-manager itself.
    const namespace = metadata.namespace ?? this.home();
    const { name } = acme.privateKeySecretRef;
    if (problem !== undefined || api.get('Secret', name, namespace)) return;
    const key = Buffer.from(model.world.random.hex(64)).toString('base64');
    api.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      type: 'Opaque',
      data: { 'tls.key': key },
    });
  }

  private home(): string {
    const deployment = this.cluster.api.list('Deployment').find(({ metadata }) => metadata.name === 'cert-manager');
    return deployment?.metadata.namespace ?? 'cert-manager';
  }
}

/** The issuer that a certificate means; undefined when there is none. */
export function issuerOf({ api }: Cluster, ref: IssuerRef, namespace: string | undefined): Issuer | undefined {
  const found = api.get(ref.kind, ref.name, ref.kind === 'Issuer' ? namespace : undefined);
  return found && Issuer.parse(found);
}
