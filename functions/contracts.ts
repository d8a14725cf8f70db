/** Schema fragments that several contracts share. One contract per function lies beside its handler. */
import * as z from 'zod/mini';

export const INSTANCE_ID = z.string().check(z.regex(/^i-[0-9a-f]{8,17}$/));
export const SLOT = z.int().check(z.minimum(0), z.maximum(4));
/** Counts the launches of a slot; 0 before the first. */
export const GENERATION = z.int().check(z.minimum(0));
/** IPv4, dotted. */
export const ADDRESS = z.string().check(z.regex(/^(\d{1,3}\.){3}\d{1,3}$/));
/** Digest of the manifest archive; the workflow knows it as `${ManifestsSha256}`. */
export const MANIFESTS_SHA256 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
export const CA_HASH = z.string().check(z.regex(/^[0-9a-f]{64}$/));

/** Who acts: `$states.context.Execution.Id` and `.RedriveCount`. A redriven execution is another lease holder. */
export const EXECUTION = z.strictObject({ id: z.string().check(z.minLength(1)), redrive: z.int().check(z.minimum(0)) });
export type ExecutionRef = z.infer<typeof EXECUTION>;

/** The node commands: state, script `nodes/<kebab>.sh` and document suffix are one stem. */
export const SCRIPT = z.enum(['StartServer', 'ReportStatus', 'RemoveMember', 'ApplyManifests']);
export type Script = z.infer<typeof SCRIPT>;

/** What each script prints as its last line. Unknown fields are refused: the scripts are ours. */
export const SCRIPT_OUTPUT = {
  StartServer: z.strictObject({
    ready: z.literal(true),
    voter: z.literal(true),
    caHash: CA_HASH,
    k3sVersion: z.string(),
  }),
  ReportStatus: z.strictObject({
    k3s: z.enum(['active', 'activating', 'inactive', 'failed', 'preparing']),
    etcdHealthy: z.nullable(z.boolean()),
    apiReady: z.boolean(),
    /** As K3s' /db/info answers it: member ids are 64-bit and therefore not used. */
    dbInfo: z.nullable(
      z.object({
        members: z.array(
          z.object({ name: z.optional(z.string()), peerURLs: z.array(z.string()), isLearner: z.optional(z.boolean()) }),
        ),
      }),
    ),
    nodes: z.nullable(
      z.array(
        z.strictObject({
          name: z.string(),
          ready: z.enum(['True', 'False', 'Unknown']),
          voter: z.boolean(),
          deleting: z.boolean(),
          member: z.nullable(z.string()),
          address: z.nullable(z.string()),
        }),
      ),
    ),
    caHash: z.nullable(CA_HASH),
    k3sVersion: z.nullable(z.string()),
  }),
  RemoveMember: z.strictObject({ removed: z.literal(true) }),
  ApplyManifests: z.strictObject({ applied: z.int(), pruned: z.int() }),
} as const;

/**
 * Any function may end with these, after the SDK's own attempts: AWS throttled (Throttled), failed or did not answer
 * (Unavailable). Nothing is wrong with the request: ask again.
 */
export const COMMON_ERRORS = ['Throttled', 'Unavailable'] as const;

/** Environment that every function has. */
export const ENV = { CLUSTER: z.string().check(z.minLength(1)), TABLE: z.string().check(z.minLength(1)) };
const LIST = z.pipe(
  z.string().check(z.minLength(1)),
  z.transform((text: string) => text.split(',')),
);
export const ENV_SERVERS = z.pipe(z.enum(['3', '5']), z.transform(Number));
/** Comma-separated, in slot order modulo their number. */
export const ENV_LIST = LIST;
/** ARNs of the target groups, `http,https,api`. */
export const ENV_TARGET_GROUPS = z.pipe(
  LIST,
  z.transform((arns: string[], context) => {
    const [http, https, api] = arns;
    if (arns.length === 3 && http && https && api) return { http, https, api };
    context.issues.push({ code: 'custom', message: 'must be three ARNs: http,https,api', input: arns });
    return z.NEVER;
  }),
);

export const PARAMETERS = z.record(z.string(), z.string());

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html */
export const CUSTOM_RESOURCE = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.optional(z.string()),
});
export type CustomResourceEvent = z.infer<typeof CUSTOM_RESOURCE>;
export const CUSTOM_RESOURCE_ANSWER = z.strictObject({ status: z.enum(['SUCCESS', 'FAILED']) });
