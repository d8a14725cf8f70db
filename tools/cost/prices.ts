/**
 * List prices in US dollars for us-east-1 (other regions differ by some percent), free tiers ignored. As AWS' price pages,
 * named beside each, gave them in June 2026; change a number here when AWS does.
 */
export const PRICES_OF = 'us-east-1, June 2026';

export const HOURS_PER_MONTH = 730;
const perMonth = (hourly: number) => hourly * HOURS_PER_MONTH;
const million = 1e6;

/** What is paid for each time it is used. */
export const USAGE = {
  lambdaRequests: {
    what: 'Lambda requests',
    unit: 'requests',
    usd: 0.2 / million,
    source: 'aws.amazon.com/lambda/pricing',
  },
  lambdaGbSeconds: {
    what: 'Lambda duration (256 MB, arm64)',
    unit: 'GB-s',
    usd: 0.0000133334,
    source: 'aws.amazon.com/lambda/pricing; cold starts are billed since August 2025',
  },
  transitions: {
    what: 'Step Functions transitions',
    unit: 'transitions',
    usd: 0.025 / 1000,
    source: 'aws.amazon.com/step-functions/pricing; each retry is one more',
  },
  readUnits: {
    what: 'DynamoDB reads',
    unit: 'units',
    usd: 0.125 / million,
    source: 'aws.amazon.com/dynamodb/pricing/on-demand, since November 2024',
  },
  writeUnits: {
    what: 'DynamoDB writes',
    unit: 'units',
    usd: 0.625 / million,
    source: 'aws.amazon.com/dynamodb/pricing/on-demand, since November 2024',
  },
  customEvents: {
    what: 'EventBridge events of our own',
    unit: 'events',
    usd: 1 / million,
    source: "aws.amazon.com/eventbridge/pricing; AWS' own events and schedules are free",
  },
  logGigabytes: { what: 'CloudWatch Logs', unit: 'GB', usd: 0.5, source: 'aws.amazon.com/cloudwatch/pricing' },
  logGigabyteMonths: {
    what: 'log storage',
    unit: 'GB-months',
    usd: 0.03,
    source: 'aws.amazon.com/cloudwatch/pricing; before compression',
  },
  notifications: {
    what: 'SNS messages, each as one e-mail',
    unit: 'messages',
    usd: 0.5 / million + 2 / 100_000,
    source: 'aws.amazon.com/sns/pricing',
  },
  secretCalls: {
    what: 'Secrets Manager calls',
    unit: 'calls',
    usd: 0.05 / 10_000,
    source: 'aws.amazon.com/secrets-manager/pricing',
  },
  keyRequests: {
    what: "KMS requests, by AWS' managed keys",
    unit: 'requests',
    usd: 0.03 / 10_000,
    source: 'aws.amazon.com/kms/pricing',
  },
} as const;

export type UsageName = keyof typeof USAGE;
export type Usage = Record<UsageName, number>;

/** What is paid for by the month as long as it exists. */
export const FIXED = {
  secret: { usd: 0.4, source: 'aws.amazon.com/secrets-manager/pricing' },
  key: { usd: 1, source: 'aws.amazon.com/kms/pricing' },
  alarm: { usd: 0.1, source: 'aws.amazon.com/cloudwatch/pricing; ten are free in an account' },
  dashboard: { usd: 3, source: 'aws.amazon.com/cloudwatch/pricing; three are free in an account' },
  /** Seven metrics of an instance. */
  detailedMonitoring: { usd: 7 * 0.3, source: 'aws.amazon.com/cloudwatch/pricing' },
  loadBalancer: {
    usd: perMonth(0.0225),
    source: 'aws.amazon.com/elasticloadbalancing/pricing, and $0.006 per NLCU-hour of traffic',
  },
  address: { usd: perMonth(0.005), source: 'aws.amazon.com/vpc/pricing, since February 2024' },
  natGateway: { usd: perMonth(0.045), source: 'aws.amazon.com/vpc/pricing, and $0.045 per GB' },
  interfaceEndpointInZone: { usd: perMonth(0.01), source: 'aws.amazon.com/privatelink/pricing, and $0.01 per GB' },
  volumeGib: { usd: 0.08, source: 'aws.amazon.com/ebs/pricing, gp3' },
  /** Half a gigabyte: the few megabytes of the echo image, some versions of it, and room for a user's own. */
  imageRepository: { usd: 0.5 * 0.1, source: 'aws.amazon.com/ecr/pricing, for half a GB' },
} as const;

export type FixedName = keyof typeof FIXED;

/** The default instance types, Linux, on demand, by the hour: aws.amazon.com/ec2/pricing/on-demand. */
const INSTANCES: Readonly<Record<string, number>> = {
  't3.medium': 0.0416,
  't3a.medium': 0.0376,
  'm7i-flex.large': 0.09576,
  't4g.medium': 0.0336,
  'm7g.large': 0.0816,
  'c7g.large': 0.0725,
};

/** Of one instance for a month; undefined for a type that is not among the defaults. */
export function instanceMonth(type: string): number | undefined {
  const hourly = INSTANCES[type];
  return hourly === undefined ? undefined : perMonth(hourly);
}
