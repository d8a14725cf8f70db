/** Policies about pods as Kubernetes takes them: NetworkPolicy, PodDisruptionBudget, HorizontalPodAutoscaler. */
import { z } from 'zod';
import { KubeObject, Selector } from './objects';

const Amount = z.union([z.int().nonnegative(), z.string().regex(/^\d+%$/)]);

export const PodDisruptionBudget = z.looseObject({
  ...KubeObject.shape,
  spec: z
    .strictObject({
      minAvailable: Amount.optional(),
      maxUnavailable: Amount.optional(),
      selector: Selector,
      unhealthyPodEvictionPolicy: z.enum(['IfHealthyBudget', 'AlwaysAllow']).optional(),
    })
    .refine(({ minAvailable, maxUnavailable }) => minAvailable === undefined || maxUnavailable === undefined, {
      error: 'minAvailable and maxUnavailable cannot be both set',
    }),
});
export type PodDisruptionBudget = z.infer<typeof PodDisruptionBudget>;

const Cidr = z.string().regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/);

const Peer = z
  .strictObject({
    podSelector: Selector.optional(),
    namespaceSelector: Selector.optional(),
    ipBlock: z.strictObject({ cidr: Cidr, except: z.array(Cidr).optional() }).optional(),
  })
  .refine((peer) => Object.values(peer).some((part) => part !== undefined), { error: 'must specify a peer' })
  .refine(({ podSelector, namespaceSelector, ipBlock }) => !ipBlock || !(podSelector || namespaceSelector), {
    error: 'may not specify both ipBlock and another peer',
  });
export type Peer = z.infer<typeof Peer>;

const Port = z.strictObject({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  port: z.union([z.int(), z.string()]).optional(),
  endPort: z.int().optional(),
});
export type Port = z.infer<typeof Port>;

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
export const NetworkPolicy = z.looseObject({
  ...KubeObject.shape,
  spec: z
    .strictObject({
      podSelector: Selector.optional().transform((selector) => selector ?? {}),
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])).optional(),
      ingress: z.array(z.strictObject({ from: z.array(Peer).optional(), ports: z.array(Port).optional() })).optional(),
      egress: z.array(z.strictObject({ to: z.array(Peer).optional(), ports: z.array(Port).optional() })).optional(),
    })
    // Absent, it is what the API server fills in.
    .transform((spec) => ({
      ...spec,
      policyTypes: spec.policyTypes ?? (spec.egress ? ['Ingress' as const, 'Egress' as const] : ['Ingress' as const]),
    })),
});
export type NetworkPolicy = z.infer<typeof NetworkPolicy>;

export const HorizontalPodAutoscaler = z.looseObject({
  ...KubeObject.shape,
  spec: z
    .looseObject({
      scaleTargetRef: z.strictObject({
        apiVersion: z.literal('apps/v1'),
        kind: z.literal('Deployment'),
        name: z.string(),
      }),
      minReplicas: z.int().positive().default(1),
      maxReplicas: z.int().positive(),
    })
    .refine(({ minReplicas, maxReplicas }) => maxReplicas >= minReplicas, {
      path: ['maxReplicas'],
      error: 'must be greater than or equal to `minReplicas`',
    }),
});
export type HorizontalPodAutoscaler = z.infer<typeof HorizontalPodAutoscaler>;
