import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { parseCidr } from './cidr';
import { ConfigError, type Fault } from './config-error';
import { crossFaults } from './config-rules';
import { DEFAULT_INSTANCE_TYPES, DEFAULT_K3S_VERSION } from './defaults';

/** The message of a setting's schema: what it must be, what it is, and why. */
function must(what: string, why?: string) {
  return {
    error: ({ input }: { input?: unknown }) =>
      input === undefined
        ? `is required: must be ${what}`
        : `must be ${what}, is ${show(input)}${why ? ` (${why})` : ''}`,
  };
}

function show(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values, why?: string) =>
  z.enum(values, must(values.map((value) => `"${value}"`).join(' or '), why));

const matching = (pattern: RegExp, what: string, why?: string) => z.string(must(what)).regex(pattern, must(what, why));

const cidr = (what: string) => z.string(must(what)).refine((text) => parseCidr(text) !== undefined, must(what));

const list = <Item extends z.ZodType>(item: Item, what: string) => z.array(item, must(what));

const email = z.email(must('an e-mail address'));

const switchable = z.boolean(must('true or false'));

const whole = (minimum: number, maximum: number, why?: string) => {
  const message = must(`a whole number from ${minimum} to ${maximum}`, why);
  return z.int(message).min(minimum, message).max(maximum, message);
};

const SHA256 = matching(
  /^[0-9a-f]{64}$/,
  'a SHA-256 checksum in lower-case hexadecimal',
  '"npm run pin-k3s" writes it',
);

const group = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape, must('an object'));

const SHAPE = {
  /** Lets editors offer this file's settings; it has no effect. */
  $schema: z.string(must('a string')).optional(),
  /** Names the stack, the tags and every fixed resource name. Changing it makes another cluster. */
  name: matching(
    /^[a-z][a-z0-9-]{1,20}[a-z0-9]$/,
    '3 to 22 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen',
  )
    .regex(
      /(?<!-delete)$/,
      must('a name without "-delete" at its end', 'so is the delete workflow of another cluster called'),
    )
    .default('demo'),
  /** Absent: the region of the credentials in use at deployment. */
  region: matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region such as "eu-west-3"').optional(),
  k3sVersion: matching(
    /^v1\.(3[5-9]|[4-9]\d)\.\d+\+k3s\d+$/,
    `a K3s release from v1.35 on, such as "${DEFAULT_K3S_VERSION}"`,
    'the manifests use traffic distribution and zone labels that older releases lack',
  ).default(DEFAULT_K3S_VERSION),
  /** Checksum of the K3s binary of that release. Absent: verified against the release's own checksum file. */
  k3sSha256: group({ x86_64: SHA256.optional(), arm64: SHA256.optional() }).prefault({}),
  servers: z
    .literal([3, 5], must('3 or 5', 'an even number of etcd voters survives no more failures than one less'))
    .default(3),
  architecture: oneOf(['x86_64', 'arm64']).default('x86_64'),
  /** Tried in order when AWS has no capacity. Absent: three common types of the architecture. */
  instanceTypes: list(
    matching(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'an instance type such as "t3.medium"'),
    'a list of instance types',
  )
    .min(1, must('a list of at least one instance type'))
    .optional(),
  /** Size of each server's encrypted root volume in GiB. */
  volumeGib: whole(10, 1000, 'K3s, its images and etcd need 10').default(20),
  network: group({
    /** `public`: public subnets with closed security groups. `private`: private subnets behind NAT gateways. */
    mode: oneOf(['public', 'private']).default('public'),
    /** With `private`: one NAT gateway in each zone, or a single one that is cheaper and a single point of failure. */
    nat: oneOf(['per-zone', 'single']).optional(),
    cidr: cidr('an IPv4 network such as "10.20.0.0/16"').default('10.20.0.0/16'),
    /** Absent: the first three zones of the region. Name them where one does not offer the instance types. */
    availabilityZones: list(
      matching(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'an availability zone such as "eu-west-3a"'),
      'a list of availability zones',
    ).optional(),
  }).prefault({}),
  /** Who may reach the Kubernetes API through the load balancer. Empty: nobody. */
  apiCidrs: list(
    cidr('an IPv4 network such as "203.0.113.0/24" or "203.0.113.7/32"'),
    'a list of IPv4 networks',
  ).default([]),
  /** Where the demo answers. Absent: at the load balancer's own name. */
  domain: matching(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'a domain name in lower case such as "demo.example.org"',
  ).optional(),
  acme: group({
    email: email.optional(),
    server: oneOf(['staging', 'production']).default('staging'),
  }).prefault({}),
  alertEmail: email.optional(),
  /** A folder with your own Kubernetes manifests, relative to this project; applied after ours. */
  manifests: z
    .string(must('a folder such as "my-manifests"'))
    .min(1, must('a folder such as "my-manifests"'))
    .optional(),
  /** Any image with socat that can be pulled without a login. Absent: tcpecho/ is built into a repository of the stack. */
  tcpechoImage: matching(
    /^[a-z0-9][a-z0-9._/:-]*(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/,
    'an image with a tag other than latest, or with a digest',
    'an unpinned image may change under a running cluster',
  ).optional(),
  demo: group({
    enabled: switchable.default(true),
    replicas: whole(1, 100).default(3),
  }).prefault({}),
};

const FILE = z.strictObject(SHAPE, must('an object'));
/** What cluster.json may hold, with defaults where one setting suffices to tell them. */
export type Settings = z.output<typeof FILE>;

/** A complete, valid configuration. */
export type Config = Omit<Settings, '$schema' | 'instanceTypes' | 'network'> & {
  readonly instanceTypes: readonly string[];
  readonly network: Omit<Settings['network'], 'nat'> & { readonly nat: 'per-zone' | 'single' };
};

/**
 * Validates settings as they stand in `cluster.json`, and completes them with the defaults.
 * @param file what the message calls their source
 * @throws ConfigError naming every fault
 */
export function parseConfig(raw: unknown, file = 'cluster.json'): Config {
  const parsed = FILE.safeParse(raw);
  const faults = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => faultsOf(issue))),
    ...crossFaults(parsed.success ? parsed.data : validPart(raw)),
  ];
  if (!parsed.success || faults.length > 0) throw new ConfigError(file, faults);
  const { $schema: _, instanceTypes, network, ...rest } = parsed.data;
  return {
    ...rest,
    instanceTypes: instanceTypes ?? DEFAULT_INSTANCE_TYPES[rest.architecture],
    network: { ...network, nat: network.nat ?? 'per-zone' },
  };
}

/**
 * Reads `cluster.json`; an absent file means the defaults.
 * @throws ConfigError when it is not JSON or not valid
 */
export function loadConfig(path: string): Config {
  if (!existsSync(path)) return parseConfig({});
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError('cluster.json', [{ path: '', message: `is not JSON: ${reason}` }]);
  }
  return parseConfig(raw);
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
  const known = settingsAt(path);
  return issue.keys.map((key) => ({
    path: [...path, key].join('.'),
    message: `is not a setting; known here: ${known.join(', ')}`,
  }));
}

function settingsAt(path: readonly string[]): string[] {
  const schema = path.reduce<unknown>((at, key) => inner(at)?.shape[key], FILE);
  return Object.keys(inner(schema)?.shape ?? {}).filter((key) => key !== '$schema');
}

function inner(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodPrefault ? inner(schema.unwrap()) : undefined;
}

/** The settings that are valid by themselves, so that rules between settings are checked in the same round. */
function validPart(raw: unknown): Partial<Settings> {
  if (typeof raw !== 'object' || raw === null) return {};
  const entries: ReadonlyMap<string, unknown> = new Map(Object.entries(raw));
  const field = <Schema extends z.ZodType>(schema: Schema, key: string): z.output<Schema> | undefined =>
    schema.safeParse(entries.get(key)).data;
  return {
    region: field(SHAPE.region, 'region'),
    architecture: field(SHAPE.architecture, 'architecture'),
    instanceTypes: field(SHAPE.instanceTypes, 'instanceTypes'),
    network: field(SHAPE.network, 'network'),
    domain: field(SHAPE.domain, 'domain'),
    acme: field(SHAPE.acme, 'acme'),
  };
}
