/**
 * cert-manager's controller (https://cert-manager.io/docs/): issuers register accounts, Ingresses ask for Certificates,
 * Certificates are issued through Orders and HTTP-01 Challenges. Unlike the real one it keeps no CertificateRequests
 * and renews nothing before it runs out of date.
 */
import { ApiError } from '../api';
import type { Cluster } from '../cluster';
import { condition, type Pod } from '../objects';
import { rulesOf } from '../rules';
import { Acme } from './acme';
import { Certificates } from './certificates';
import { Challenges } from './challenges';
import { requestCertificates } from './ingress-shim';
import { Issuers } from './issuers';

/** Where the Service of the API server leads. */
const API_PORT = 6443;

export class CertManager {
  private readonly issuers: Issuers;
  private readonly certificates: Certificates;
  private readonly challenges: Challenges;
  /** Whether it runs, as of a revision. */
  private known = { revision: -1, runs: false };

  constructor(private readonly cluster: Cluster) {
    const acme = new Acme(cluster.model.world);
    this.issuers = new Issuers(cluster, acme);
    this.certificates = new Certificates(cluster, acme);
    this.challenges = new Challenges(cluster, acme);
  }

  /** Called every second while the API works; works while one of its own pods does. */
  reconcile(): void {
    const { revision } = this.cluster.api;
    if (revision !== this.known.revision) this.known = { revision, runs: this.runs() };
    if (!this.known.runs) return;
    try {
      this.issuers.reconcile();
      requestCertificates(this.cluster.api);
      this.certificates.reconcile();
      this.challenges.reconcile();
    } catch (error) {
      // Refused for now, as long as the webhook has no pod, or for good: it tries again.
      if (!(error instanceof ApiError)) throw error;
      this.cluster.model.world.log('cert-manager is refused', { error: error.message });
    }
  }

  /** One of its pods is ready, and no NetworkPolicy keeps it from the API server. */
  private runs(): boolean {
    const { policies } = rulesOf(this.cluster);
    return this.cluster.api.list<Pod>('Pod').some((pod) => {
      const { metadata, status } = pod;
      const own = metadata.labels?.['app.kubernetes.io/name'] === 'cert-manager';
      const leads = metadata.labels?.['app.kubernetes.io/component'] === 'controller';
      const ready = !metadata.deletionTimestamp && condition({ status }, 'Ready')?.status === 'True';
      return own && leads && ready && policies.permits({ pod }, 'network', API_PORT);
    });
  }
}
