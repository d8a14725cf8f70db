/** Counts what an embedded AWS would be billed for. */
import { z } from 'zod';
import type { TestCluster } from '../../test/support/embedded';
import type { Usage } from './prices';

/** A principal's table key is asked for again after this (DynamoDB Developer Guide, "Encryption at rest: how it works"). */
const TABLE_KEY_CACHE_MS = 300_000;
const REPORT = /^REPORT .*\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB/;
const ENTRIES = z.object({ Entries: z.array(z.unknown()) });

/** All of it since the embedded AWS began: what a period cost is the difference of two readings. */
export function readMeter({ aws, calls }: TestCluster): Usage {
  const { lambda, dynamodb, logs, sns, ec2 } = aws.services;
  const { read: readUnits, write: writeUnits } = dynamodb.consumed;
  const called = (operation: string) => calls.filter((call) => call.operation === operation);
  const secretCalls = called('GetSecretValue').length;
  const notifications = sns.inbox.length;
  const tableKeys = new Set(
    calls
      .filter(({ service }) => service === 'dynamodb')
      .map(({ caller, at }) => `${caller} ${Math.floor(at / TABLE_KEY_CACHE_MS)}`),
  );
  const gigabytes = logs.ingestedBytes / 1e9;
  return {
    lambdaRequests: lambda.counters.invocations,
    lambdaGbSeconds: gigabyteSeconds(aws),
    transitions: transitions(aws),
    readUnits,
    writeUnits,
    customEvents: called('PutEvents').reduce((sum, { input }) => sum + ENTRIES.parse(input).Entries.length, 0),
    logGigabytes: gigabytes,
    // Groups keep their lines for a month, so that a month's intake is what is stored.
    logGigabyteMonths: gigabytes,
    notifications,
    secretCalls,
    // Of the secret, of the table, of each topic message and what it is sealed with, of each function's environment, and of
    // each volume, made and attached.
    keyRequests: secretCalls + tableKeys.size + 2 * notifications + lambda.coldStarts + 2 * ec2.instances().length,
  };
}

export function since(now: Usage, then: Usage): Usage {
  return mapUsage(now, (name) => now[name] - then[name]);
}

export function times(usage: Usage, factor: number): Usage {
  return mapUsage(usage, (name) => usage[name] * factor);
}

/** Of several runs. */
export function mean(usages: readonly Usage[]): Usage {
  return mapUsage(usages[0]!, (name) => usages.reduce((sum, usage) => sum + usage[name], 0) / usages.length);
}

function mapUsage(usage: Usage, value: (name: keyof Usage) => number): Usage {
  const changed = { ...usage };
  for (const name of Object.keys(usage) as (keyof Usage)[]) changed[name] = value(name);
  return changed;
}

/** As the last line of each invocation's log bills them. */
function gigabyteSeconds({ stack, services }: TestCluster['aws']): number {
  const groups = [...stack.resources.values()].filter(({ type }) => type === 'AWS::Logs::LogGroup');
  let sum = 0;
  for (const { ref } of groups) {
    for (const { message } of services.logs.lines(ref)) {
      const [, milliseconds, megabytes] = REPORT.exec(message) ?? [];
      sum += (Number(milliseconds ?? 0) / 1000) * (Number(megabytes ?? 0) / 1024);
    }
  }
  return sum;
}

/** Every state entered and every retry, and the end of each execution, which AWS' own examples count. */
function transitions({ services }: TestCluster['aws']): number {
  let sum = 0;
  for (const { history, stoppedAt } of services.states.listExecutions()) {
    const count = (wanted: (type: string) => boolean) => history.filter(({ type }) => wanted(type)).length;
    const retries = count((type) => type.endsWith('Scheduled')) - count((type) => type === 'TaskStateEntered');
    sum += count((type) => type.endsWith('StateEntered')) + retries + (stoppedAt === undefined ? 0 : 1);
  }
  return sum;
}
