/** cert-manager's resources, as far as the model has them: ACME issuers with HTTP-01 through an Ingress. */
import { z } from 'zod';
import { KubeObject } from '../objects';

export const CERT_MANAGER = 'cert-manager.io';
export const ACME = 'acme.cert-manager.io';

const Conditions = z
  .array(
    z.looseObject({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string().optional(),
      message: z.string().optional(),
      observedGeneration: z.number().optional(),
      lastTransitionTime: z.string().optional(),
    }),
  )
  .optional();

const Solver = z.strictObject({
  http01: z.strictObject({
    ingress: z.looseObject({
      ingressClassName: z.string().optional(),
      class: z.string().optional(),
      serviceType: z.enum(['NodePort', 'ClusterIP']).default('NodePort'),
    }),
  }),
  selector: z.looseObject({}).optional(),
});

export const Issuer = z.looseObject({
  ...KubeObject.shape,
  spec: z.strictObject({
    acme: z.looseObject({
      server: z.url(),
      email: z.string().optional(),
      privateKeySecretRef: z.looseObject({ name: z.string() }),
      solvers: z.array(Solver).min(1),
    }),
  }),
  status: z.looseObject({ conditions: Conditions }).optional(),
});
export type Issuer = z.infer<typeof Issuer>;

const IssuerRef = z.strictObject({
  name: z.string(),
  kind: z.enum(['Issuer', 'ClusterIssuer']).default('Issuer'),
  group: z.literal(CERT_MANAGER).default(CERT_MANAGER),
});
export type IssuerRef = z.infer<typeof IssuerRef>;

export const Certificate = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({ dnsNames: z.array(z.string()).min(1), secretName: z.string(), issuerRef: IssuerRef }),
  status: z.looseObject({ conditions: Conditions, revision: z.number().optional() }).optional(),
});
export type Certificate = z.infer<typeof Certificate>;

export const Order = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({ dnsNames: z.array(z.string()), issuerRef: IssuerRef }),
  status: z
    .looseObject({
      state: z.enum(['pending', 'ready', 'valid', 'invalid', 'errored']).optional(),
      reason: z.string().optional(),
      failureTime: z.string().optional(),
    })
    .optional(),
});
export type Order = z.infer<typeof Order>;

export const Challenge = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({
    dnsName: z.string(),
    token: z.string(),
    key: z.string(),
    type: z.literal('HTTP-01'),
    issuerRef: IssuerRef,
    solver: Solver,
  }),
  status: z
    .looseObject({
      state: z.enum(['pending', 'valid', 'invalid']).optional(),
      reason: z.string().optional(),
      presented: z.boolean().optional(),
    })
    .optional(),
});
export type Challenge = z.infer<typeof Challenge>;
