/** The values of K3s' packaged Traefik chart that matter to traffic, from the HelmChartConfig named `traefik`. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Api } from './api';
import { HelmChartConfig, PodSpec } from './objects';

const EntryPoint = z.looseObject({
  proxyProtocol: z
    .looseObject({ trustedIPs: z.array(z.string()).optional(), insecure: z.boolean().optional() })
    .optional(),
  redirections: z.looseObject({ entryPoint: z.looseObject({ to: z.string() }).optional() }).optional(),
  http: z
    .looseObject({
      redirections: z.looseObject({ entryPoint: z.looseObject({ to: z.string() }).optional() }).optional(),
    })
    .optional(),
});

const Values = z.looseObject({
  deployment: z
    .looseObject({ kind: z.enum(['Deployment', 'DaemonSet']).optional(), replicas: z.number().int().optional() })
    .optional(),
  topologySpreadConstraints: PodSpec.shape.topologySpreadConstraints,
  affinity: PodSpec.shape.affinity,
  tolerations: PodSpec.shape.tolerations,
  nodeSelector: PodSpec.shape.nodeSelector,
  podDisruptionBudget: z.looseObject({ enabled: z.boolean().optional() }).optional(),
  service: z.looseObject({ spec: z.record(z.string(), z.unknown()).optional() }).optional(),
  ports: z.looseObject({ web: EntryPoint.optional(), websecure: EntryPoint.optional() }).optional(),
});
export type TraefikValues = z.infer<typeof Values>;

export interface TraefikSettings {
  /** Whether connections to the entry point start with a PROXY header. */
  proxyProtocol: { web: boolean; websecure: boolean };
  /** `web` answers with a redirect to HTTPS. */
  redirects: boolean;
}

/** The values, or what is wrong with them. */
export function readTraefikValues(values: unknown): { values: TraefikValues } | { faults: string } {
  const parsed = Values.safeParse(values);
  if (parsed.success) return { values: parsed.data };
  return { faults: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ') };
}

/** As of the last installed values. */
export function traefikSettings(api: Api): TraefikSettings {
  const config = api.get('HelmChartConfig', 'traefik', 'kube-system');
  const values = config ? valuesOrNothing(HelmChartConfig.parse(config).spec.valuesContent) : {};
  const trusts = (entryPoint: 'web' | 'websecure') => {
    const proxy = values.ports?.[entryPoint]?.proxyProtocol;
    return proxy?.insecure === true || (proxy?.trustedIPs?.length ?? 0) > 0;
  };
  const web = values.ports?.web;
  const to = web?.http?.redirections?.entryPoint?.to ?? web?.redirections?.entryPoint?.to;
  return {
    proxyProtocol: { web: trusts('web'), websecure: trusts('websecure') },
    redirects: to === 'websecure',
  };
}

/** The chart's installation reports what is wrong with them; what runs keeps its defaults. */
function valuesOrNothing(text: string): TraefikValues {
  if (last?.text !== text) last = { text, values: parseValues(text) };
  return last.values;
}

/** What was asked for last: every node asks again whenever anything is written. */
let last: { text: string; values: TraefikValues } | undefined;

function parseValues(text: string): TraefikValues {
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch {
    return {};
  }
  const read = readTraefikValues(content);
  return 'values' in read ? read.values : {};
}
