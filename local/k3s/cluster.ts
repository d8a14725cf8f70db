/** One K3s cluster: its identity, its etcd, its API and the controllers that run while the API works. */
import { Api, type ApiSettings } from './api';
import { CertManager } from './cert-manager/controller';
import { Controllers } from './controllers';
import { Etcd, EtcdError } from './etcd';
import { HelmController } from './helm';
import { Kubelet } from './kubelet';
import type { Model } from './machine';
import { DEFAULT_NODE_PORTS } from './node-ports';
import type { KubeObject } from './objects';
import { type Authority, caHash } from './pki';
import { PRIVILEGED } from './pod-security';
import type { ServerProcess } from './server';
import { Workloads } from './workloads';

/** What makes a cluster itself; survives a reset and is part of every snapshot. */
export interface ClusterIdentity {
  authority: Authority;
  /** Signs the certificates by which the API knows people and components. */
  clientAuthority: Authority;
  /** The short form of the server token. */
  token: string;
  /** Settings that must be equal on all servers, by flag name. */
  critical: Record<string, string>;
}

/** Until a server says how it was configured. */
const DEFAULTS: ApiSettings = { podSecurity: PRIVILEGED, nodePorts: DEFAULT_NODE_PORTS };

export class Cluster {
  readonly uuid: string;
  readonly caHash: string;
  readonly etcd: Etcd<KubeObject>;
  readonly api: Api;
  /** The K3s processes that run etcd, by member id. */
  readonly servers = new Map<string, ServerProcess>();
  private readonly controllers: Controllers;
  private readonly workloads: Workloads;
  private readonly helm: HelmController;
  private readonly certManager: CertManager;
  private readonly kubelets = new Map<string, Kubelet>();

  constructor(
    readonly model: Model,
    readonly identity: ClusterIdentity,
    data: ReadonlyMap<string, KubeObject> = new Map(),
  ) {
    this.uuid = model.world.random.uuid();
    this.caHash = caHash(identity.authority.cert);
    this.etcd = new Etcd(model.world, model.network, data, () => this.tick());
    this.api = new Api(model.world, this.etcd, () => this.reporting()[0] ?? DEFAULTS);
    this.helm = new HelmController(this);
    this.certManager = new CertManager(this);
    this.controllers = new Controllers(this);
    this.workloads = new Workloads(this);
    model.clusters.set(this.uuid, this);
  }

  /** The token as K3s writes it to disk, and as joining servers may present it. */
  get secureToken(): string {
    return `K10${this.caHash}::server:${this.identity.token}`;
  }

  /** Whether the API works through this server. */
  serves(server: ServerProcess): boolean {
    return server.apiReady && server.memberId !== undefined && this.etcd.inContact(server.memberId);
  }

  /** The processes whose kubelet reports to a working API. */
  reporting(): ServerProcess[] {
    return [...this.servers.values()].filter((server) => server.kubeletReady && this.serves(server));
  }

  close(): void {
    this.etcd.stop();
  }

  private tick(): void {
    for (const server of [...this.servers.values()]) server.tick();
    try {
      if (![...this.servers.values()].some((server) => this.serves(server))) {
        this.controllers.suspend();
        return;
      }
      this.controllers.run();
      this.helm.reconcile();
      this.workloads.reconcile();
      this.certManager.reconcile();
      for (const server of this.reporting()) this.kubelet(server).sync();
    } catch (error) {
      // The quorum went away in between; the next second will tell.
      if (!(error instanceof EtcdError)) throw error;
    }
  }

  private kubelet(server: ServerProcess): Kubelet {
    const { machine } = server;
    let kubelet = this.kubelets.get(machine.instanceId);
    if (kubelet?.machine !== machine || kubelet.nodeName !== server.nodeName) {
      kubelet = new Kubelet(this, machine, server.nodeName);
      this.kubelets.set(machine.instanceId, kubelet);
    }
    return kubelet;
  }
}
