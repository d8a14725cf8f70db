/** Kubernetes objects as the API server stores them. Stored objects are never changed in place, only replaced. */
import { z } from 'zod';

const Names = z.record(z.string(), z.string());

export const Metadata = z.looseObject({
  name: z.string().min(1),
  namespace: z.string().optional(),
  labels: Names.nullish(),
  annotations: Names.nullish(),
  finalizers: z.array(z.string()).nullish(),
  uid: z.string().optional(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().optional(),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  ownerReferences: z
    .array(z.looseObject({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }))
    .optional(),
});
export type Metadata = z.infer<typeof Metadata>;

/** Any object, as it arrives from a file. */
export const KubeObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: Metadata });
export type KubeObject = z.infer<typeof KubeObject>;

const Condition = z.looseObject({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastHeartbeatTime: z.string().optional(),
  lastTransitionTime: z.string().optional(),
});
export type Condition = z.infer<typeof Condition>;

const Taint = z.looseObject({
  key: z.string(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  timeAdded: z.string().optional(),
});
export type Taint = z.infer<typeof Taint>;

export const Node = z.looseObject({
  ...KubeObject.shape,
  spec: z
    .looseObject({ taints: z.array(Taint).optional(), unschedulable: z.boolean().optional() })
    .optional()
    .transform((spec) => spec ?? {}),
  status: z
    .looseObject({
      conditions: z.array(Condition).optional(),
      addresses: z.array(z.looseObject({ type: z.string(), address: z.string() })).optional(),
    })
    .optional()
    .transform((status) => status ?? {}),
});
export type Node = z.infer<typeof Node>;

const Port = z.union([z.number().int(), z.string()]);

const Toleration = z.looseObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.number().optional(),
});
export type Toleration = z.infer<typeof Toleration>;

export const Selector = z.looseObject({
  matchLabels: Names.optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});
export type Selector = z.infer<typeof Selector>;

const AffinityTerm = z.looseObject({ labelSelector: Selector.optional(), topologyKey: z.string() });

const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: z.number().int() })).optional(),
});

export const PodSpec = z.looseObject({
  containers: z.array(Container).min(1),
  nodeSelector: Names.optional(),
  tolerations: z.array(Toleration).optional(),
  topologySpreadConstraints: z
    .array(
      z.looseObject({
        maxSkew: z.number().int().positive(),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        labelSelector: Selector.optional(),
      }),
    )
    .optional(),
  affinity: z
    .looseObject({
      podAntiAffinity: z
        .looseObject({
          requiredDuringSchedulingIgnoredDuringExecution: z.array(AffinityTerm).optional(),
          preferredDuringSchedulingIgnoredDuringExecution: z
            .array(z.looseObject({ weight: z.number(), podAffinityTerm: AffinityTerm }))
            .optional(),
        })
        .optional(),
    })
    .optional(),
});
export type PodSpec = z.infer<typeof PodSpec>;

export const Pod = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({ ...PodSpec.shape, nodeName: z.string().optional() }),
  status: z
    .looseObject({
      phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']),
      podIP: z.string().optional(),
      startTime: z.string().optional(),
      conditions: z.array(Condition).optional(),
      containerStatuses: z
        .array(
          z.looseObject({
            state: z.looseObject({
              waiting: z.object({ reason: z.string(), message: z.string().optional() }).optional(),
            }),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type Pod = z.infer<typeof Pod>;

const Template = z.looseObject({
  metadata: z.looseObject({ labels: Names.optional(), annotations: Names.optional() }).optional(),
  spec: PodSpec,
});

export const Deployment = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({
    replicas: z.number().int().nonnegative().default(1),
    selector: Selector,
    template: Template,
  }),
});
export type Deployment = z.infer<typeof Deployment>;

export const ReplicaSet = Deployment;
export type ReplicaSet = Deployment;

export const DaemonSet = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({ selector: Selector, template: Template }),
});
export type DaemonSet = z.infer<typeof DaemonSet>;

export const Service = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).default('ClusterIP'),
    clusterIP: z.string().optional(),
    selector: Names.optional(),
    externalTrafficPolicy: z.enum(['Local', 'Cluster']).default('Cluster'),
    ports: z
      .array(
        z.looseObject({
          name: z.string().optional(),
          protocol: z.enum(['TCP', 'UDP']).default('TCP'),
          port: z.number().int(),
          targetPort: Port.optional(),
          nodePort: z.number().int().optional(),
        }),
      )
      .default([]),
  }),
});
export type Service = z.infer<typeof Service>;

export const Ingress = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({
    ingressClassName: z.string().optional(),
    tls: z
      .array(z.looseObject({ hosts: z.array(z.string()).optional(), secretName: z.string().optional() }))
      .optional(),
    rules: z
      .array(
        z.looseObject({
          host: z.string().optional(),
          http: z
            .looseObject({
              paths: z.array(
                z.looseObject({
                  path: z.string().default('/'),
                  pathType: z.enum(['Prefix', 'Exact', 'ImplementationSpecific']),
                  backend: z.looseObject({
                    service: z.looseObject({
                      name: z.string(),
                      port: z.looseObject({ number: z.number().int().optional(), name: z.string().optional() }),
                    }),
                  }),
                }),
              ),
            })
            .optional(),
        }),
      )
      .default([]),
  }),
});
export type Ingress = z.infer<typeof Ingress>;

/** https://docs.k3s.io/add-ons/helm#helmchart-field-definitions: the fields that change what the model does, or need not. */
export const HelmChart = z.looseObject({
  ...KubeObject.shape,
  spec: z.strictObject({
    chart: z.string(),
    repo: z.string().optional(),
    version: z.string().optional(),
    targetNamespace: z.string().optional(),
    createNamespace: z.boolean().optional(),
    valuesContent: z.string().default(''),
    set: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    bootstrap: z.boolean().optional(),
    failurePolicy: z.enum(['reinstall', 'abort']).optional(),
    timeout: z.string().optional(),
    backOffLimit: z.int().optional(),
  }),
});
export type HelmChart = z.infer<typeof HelmChart>;

export const HelmChartConfig = z.looseObject({
  ...KubeObject.shape,
  spec: z.looseObject({ valuesContent: z.string().default('') }),
});
export type HelmChartConfig = z.infer<typeof HelmChartConfig>;

/** Whether labels satisfy a selector; an absent selector selects nothing, an empty one everything. */
export function selects(selector: Selector | undefined, labels: Record<string, string> | null | undefined): boolean {
  if (!selector) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels?.[key] !== value) return false;
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const value = labels?.[key];
    const within = value !== undefined && (values ?? []).includes(value);
    if (operator === 'In' && !within) return false;
    if (operator === 'NotIn' && within) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

const Conditioned = z.looseObject({ status: z.looseObject({ conditions: z.array(Condition) }) });

/** The conditions of an object of any kind. */
export function conditionsOf(object: KubeObject | undefined): Condition[] {
  return Conditioned.safeParse(object).data?.status.conditions ?? [];
}

export function condition(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((candidate) => candidate.type === type);
}

/** Why the first container of a pod does not run. */
export function waitingOf({ status }: Pod): { reason: string; message?: string } | undefined {
  return status?.containerStatuses?.[0]?.state.waiting;
}

/** The conditions with one replaced or added; the transition time moves only when the status does. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  next: { type: string; status: Condition['status']; reason: string; message: string },
  at: string,
): Condition[] {
  const previous = conditions?.find((candidate) => candidate.type === next.type);
  const transition = previous?.status === next.status ? (previous.lastTransitionTime ?? at) : at;
  const merged: Condition = { ...next, lastHeartbeatTime: at, lastTransitionTime: transition };
  if (!previous) return [...(conditions ?? []), merged];
  return conditions!.map((candidate) => (candidate.type === next.type ? merged : candidate));
}

/** As Kubernetes writes it: RFC 3339, whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
