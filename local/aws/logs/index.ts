/**
 * CloudWatch Logs: groups, streams and their lines.
 * Not modelled, and therefore refused: filter patterns other than words, Insights, subscriptions, metric filters.
 */
import { z } from 'zod';
import { arnOf } from '../arn';
import { page } from '../paging';
import { provision } from '../properties';
import { INTEGER } from '../scalars';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { compileFilter } from './filter';
import type { LogWriter } from './writer';

/** Lines kept per group, so that a long run does not fill the memory; the oldest go first. */
const LINES_PER_GROUP = 50_000;

/** Bytes that CloudWatch Logs adds to each line's own (API reference of PutLogEvents; the price list counts them as well). */
const LINE_OVERHEAD = 26;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const GROUP_NAME = z
  .string()
  .max(512)
  .regex(/^[\w.\-/#]+$/, "must satisfy the pattern '[.\\-_/#A-Za-z0-9]+'");
const STREAM_NAME = z.string().min(1).max(512);
const LOG_GROUP = z.strictObject({
  LogGroupName: GROUP_NAME.optional(),
  RetentionInDays: INTEGER.refine((days) => RETENTION_DAYS.includes(days), 'is not a retention AWS offers').optional(),
  LogGroupClass: z.literal('STANDARD').optional(),
  KmsKeyId: z.string().optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});
const LOG_STREAM = z.strictObject({ LogGroupName: GROUP_NAME, LogStreamName: STREAM_NAME.optional() });

/** Times in this API are milliseconds since the epoch. */
const PERIOD = { startTime: z.int().min(0).optional(), endTime: z.int().min(0).optional() };
const limited = (most: number, initial = most) => z.int().min(1).max(most).default(initial);
const TOKEN = { nextToken: z.string().optional() };

export interface LogLine {
  stream: string;
  message: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
  /** Position in the group since its creation. */
  order: number;
}

interface Stream {
  createdAt: number;
  lastEventAt: number | undefined;
}

interface Group {
  name: string;
  arn: string;
  createdAt: number;
  retentionDays: number | undefined;
  streams: Map<string, Stream>;
  lines: LogLine[];
  written: number;
}

export class Logs implements Service, LogWriter {
  readonly name = 'logs';
  readonly protocol = 'json-1.1';
  readonly version = 'Logs_20140328';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  /** What was taken in so far by all groups, as it is billed. */
  ingestedBytes = 0;

  private readonly groups = new Map<string, Group>();
  private readonly random;

  constructor(private readonly world: World) {
    this.random = world.random.fork('logs');
    this.resources = {
      'AWS::Logs::LogGroup': provision('AWS::Logs::LogGroup', LOG_GROUP, (properties, logicalId): Provisioned => {
        const name = properties.LogGroupName ?? `${logicalId}-${this.random.hex(12)}`;
        const { arn } = this.create(name, properties.RetentionInDays);
        return { ref: name, attributes: { Arn: `${arn}:*` } };
      }),
      'AWS::Logs::LogStream': provision('AWS::Logs::LogStream', LOG_STREAM, (properties, logicalId): Provisioned => {
        const name = properties.LogStreamName ?? logicalId;
        this.stream(this.group(properties.LogGroupName), name);
        return { ref: name, attributes: {} };
      }),
    };
    this.operations = { ...this.describing(), ...this.reading() };
  }

  has(groupName: string): boolean {
    return this.groups.has(groupName);
  }

  write(groupName: string, streamName: string, message: string, options: { createGroup?: boolean } = {}): void {
    const group = this.groups.get(groupName) ?? (options.createGroup ? this.create(groupName, undefined) : undefined);
    if (!group) return;
    const timestamp = Math.floor(this.world.clock.now());
    this.stream(group, streamName).lastEventAt = timestamp;
    this.ingestedBytes += Buffer.byteLength(message) + LINE_OVERHEAD;
    group.lines.push({ stream: streamName, message, timestamp, order: group.written++ });
    // In blocks: removing one line at a time from the front of a long list is slow.
    if (group.lines.length > LINES_PER_GROUP * 1.1) group.lines.splice(0, group.lines.length - LINES_PER_GROUP);
  }

  /** The lines of a group, oldest first; none when there is no such group. */
  lines(groupName: string): readonly LogLine[] {
    return this.groups.get(groupName)?.lines ?? [];
  }

  private create(name: string, retentionDays: number | undefined): Group {
    if (this.groups.has(name))
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    const group: Group = {
      name,
      arn: `arn:aws:logs:${this.world.region}:${this.world.account}:log-group:${name}`,
      createdAt: Math.floor(this.world.clock.now()),
      retentionDays,
      streams: new Map(),
      lines: [],
      written: 0,
    };
    this.groups.set(name, group);
    return group;
  }

  private stream(group: Group, name: string): Stream {
    const known = group.streams.get(name);
    if (known) return known;
    const created: Stream = { createdAt: Math.floor(this.world.clock.now()), lastEventAt: undefined };
    group.streams.set(name, created);
    return created;
  }

  private group(name: string): Group {
    const group = this.groups.get(name);
    if (!group) throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    return group;
  }

  /**
   * An action on a group is asked for as one on its streams, without the name of one: that is why policies are written
   * for `log-group:<name>:*`.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
   */
  private needs(action: string, resource: string) {
    return [{ action: `logs:${action}`, resource: arnOf(this.world, 'logs', `log-group:${resource}`) }];
  }

  private describing(): Record<string, Operation> {
    return {
      DescribeLogGroups: operation({
        input: z.strictObject({ logGroupNamePrefix: z.string().default(''), limit: limited(50), ...TOKEN }),
        handle: ({ logGroupNamePrefix, limit, nextToken }) => {
          const all = [...this.groups.values()]
            .filter(({ name }) => name.startsWith(logGroupNamePrefix))
            .sort((a, b) => (a.name < b.name ? -1 : 1))
            .map((group) => ({
              logGroupName: group.name,
              arn: `${group.arn}:*`,
              logGroupArn: group.arn,
              creationTime: group.createdAt,
              retentionInDays: group.retentionDays,
              metricFilterCount: 0,
              storedBytes: 0,
              logGroupClass: 'STANDARD',
            }));
          const { items, nextToken: next } = page(all, limit, nextToken, invalidToken);
          return { logGroups: items, nextToken: next };
        },
      }),
      DescribeLogStreams: operation({
        input: z.strictObject({
          logGroupName: GROUP_NAME,
          logStreamNamePrefix: z.string().default(''),
          orderBy: z.enum(['LogStreamName', 'LastEventTime']).default('LogStreamName'),
          descending: z.boolean().default(false),
          limit: limited(50),
          ...TOKEN,
        }),
        needs: ({ logGroupName }) => this.needs('DescribeLogStreams', `${logGroupName}:log-stream:`),
        handle: ({ logGroupName, logStreamNamePrefix, orderBy, descending, limit, nextToken }) => {
          const group = this.group(logGroupName);
          const all = [...group.streams]
            .filter(([name]) => name.startsWith(logStreamNamePrefix))
            .map(([name, { createdAt, lastEventAt }]) => ({
              logStreamName: name,
              creationTime: createdAt,
              lastEventTimestamp: lastEventAt,
              arn: `${group.arn}:log-stream:${name}`,
            }))
            .sort((a, b) =>
              orderBy === 'LastEventTime'
                ? (a.lastEventTimestamp ?? 0) - (b.lastEventTimestamp ?? 0)
                : a.logStreamName < b.logStreamName
                  ? -1
                  : 1,
            );
          const { items, nextToken: next } = page(descending ? all.reverse() : all, limit, nextToken, invalidToken);
          return { logStreams: items, nextToken: next };
        },
      }),
    };
  }

  private reading(): Record<string, Operation> {
    const within = (line: LogLine, start = 0, end = Number.POSITIVE_INFINITY) =>
      line.timestamp >= start && line.timestamp < end;
    return {
      FilterLogEvents: operation({
        input: z.strictObject({
          logGroupName: GROUP_NAME,
          logStreamNames: z.array(STREAM_NAME).max(100).optional(),
          logStreamNamePrefix: STREAM_NAME.optional(),
          filterPattern: z.string().max(1024).default(''),
          limit: limited(10_000),
          ...PERIOD,
          ...TOKEN,
        }),
        needs: ({ logGroupName }) => this.needs('FilterLogEvents', `${logGroupName}:log-stream:`),
        handle: (input) => {
          const matches = compileFilter(input.filterPattern);
          const all = this.group(input.logGroupName).lines.filter(
            (line) =>
              within(line, input.startTime, input.endTime) &&
              (input.logStreamNames?.includes(line.stream) ?? true) &&
              line.stream.startsWith(input.logStreamNamePrefix ?? '') &&
              matches(line.message),
          );
          const { items, nextToken } = page(all, input.limit, input.nextToken, invalidToken);
          const events = items.map(({ stream, message, timestamp, order }) => ({
            logStreamName: stream,
            timestamp,
            message,
            ingestionTime: timestamp,
            eventId: String(order).padStart(56, '0'),
          }));
          return { events, searchedLogStreams: [], nextToken };
        },
      }),
      GetLogEvents: operation({
        input: z.strictObject({
          logGroupName: GROUP_NAME,
          logStreamName: STREAM_NAME,
          startFromHead: z.boolean().default(false),
          limit: limited(10_000),
          ...PERIOD,
          ...TOKEN,
        }),
        needs: ({ logGroupName, logStreamName }) =>
          this.needs('GetLogEvents', `${logGroupName}:log-stream:${logStreamName}`),
        handle: ({ logGroupName, logStreamName, startTime, endTime, startFromHead, limit, nextToken }) => {
          const group = this.group(logGroupName);
          if (!group.streams.has(logStreamName))
            throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
          const all = group.lines.filter((line) => line.stream === logStreamName && within(line, startTime, endTime));
          const { direction, at } =
            readToken(nextToken) ?? (startFromHead ? { direction: 'f', at: 0 } : { direction: 'b', at: all.length });
          const from = direction === 'f' ? at : Math.max(0, at - limit);
          const to = direction === 'f' ? Math.min(all.length, at + limit) : at;
          // At either end the token repeats: that is how a reader knows.
          return {
            events: all
              .slice(from, to)
              .map(({ timestamp, message }) => ({ timestamp, message, ingestionTime: timestamp })),
            nextForwardToken: `f/${to}`,
            nextBackwardToken: `b/${from}`,
          };
        },
      }),
    };
  }
}

const invalidToken = () => new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');

function readToken(token: string | undefined): { direction: string; at: number } | undefined {
  if (token === undefined) return undefined;
  const { direction, at } = /^(?<direction>[fb])\/(?<at>\d+)$/.exec(token)?.groups ?? {};
  if (direction === undefined) throw invalidToken();
  return { direction, at: Number(at) };
}
