/** TCP ports that the load balancer, the nodes and the security groups agree on. */
export const PORT = {
  http: 80,
  https: 443,
  /** Kubernetes API. */
  api: 6443,
  /** NodePort of the echo service: answers only on nodes whose own echo pod is ready. */
  health: 32000,
} as const;
