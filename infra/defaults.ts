/**
 * The K3s release that is installed unless `cluster.json` names another.
 * Embedded: Kubernetes v1.35.8, etcd v3.6.14-k3s1, containerd v2.2.7-k3s1, Flannel v0.28.4, Traefik v3.7.8 (chart 40),
 * CoreDNS v1.14.6, metrics-server v0.9.0, helm-controller v0.17.7.
 * Source: https://github.com/k3s-io/k3s/releases/tag/v1.35.8%2Bk3s1
 */
export const DEFAULT_K3S_VERSION = 'v1.35.8+k3s1';

/** K3s' own defaults for `cluster-cidr` and `service-cidr`. https://docs.k3s.io/cli/server#networking */
export const POD_CIDR = '10.42.0.0/16';
export const SERVICE_CIDR = '10.43.0.0/16';

/**
 * Stands in the manifests for the repository that the echo image is built into: its name has the account's number, which
 * is known at deployment. nodes/apply-manifests.sh puts the repository in its place.
 */
export const ECHO_REPOSITORY = 'repository.invalid/tcpecho';

/** Two vCPUs and 4 to 8 GiB, from different pools of capacity: the next is tried when one is exhausted. */
export const DEFAULT_INSTANCE_TYPES = {
  x86_64: ['t3.medium', 't3a.medium', 'm7i-flex.large'],
  arm64: ['t4g.medium', 'm7g.large', 'c7g.large'],
} as const;
