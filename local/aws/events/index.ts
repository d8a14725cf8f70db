/**
 * EventBridge: the default event bus with its rules and schedules.
 * Not modelled, and therefore refused: other buses, archives, pipes, dead-letter queues, cross-account events.
 */
import type { Timer } from '../../clock';
import { arnOf } from '../arn';
import { provision } from '../properties';
import {
  AwsError,
  type Operation,
  operation,
  type Provision,
  type Provisioned,
  type Service,
  type World,
} from '../service';
import { type Delivery, deliver, type Targets } from './delivery';
import type { BusEvent, ServiceEvent } from './event';
import { compilePattern } from './pattern';
import { accept, entrySize, PUT_EVENTS, putEventsNeeds, REQUEST_LIMIT } from './put-events';
import {
  checkTargets,
  LIST_RULES,
  makeRule,
  NAMED_RULE,
  PUT_RULE,
  PUT_TARGETS,
  parsePattern,
  RULE,
  RULE_TARGETS,
  type Rule,
  TEST_EVENT_PATTERN,
} from './rule';

/**
 * When an event reaches a target: one delivery for each delay in milliseconds, on top of the usual latency. `[0]` is
 * the normal case, `[]` loses the event, `[0, 5000]` delivers it twice.
 */
export type DeliveryPlan = (delivery: Delivery) => number[];

export type EventListener = (event: BusEvent) => void;

export class Events implements Service {
  readonly name = 'events';
  readonly protocol = 'json-1.1';
  readonly version = 'AWSEvents';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;
  readonly counters = { events: 0, deliveries: 0, failedDeliveries: 0 };
  /** Replaced by faults: EventBridge delivers at least once, in no order, and may lose best-effort events. */
  plan: DeliveryPlan = () => [0];

  private readonly rules = new Map<string, Rule>();
  private readonly timers = new Map<string, Timer>();
  private readonly listeners = new Set<EventListener>();
  private readonly random;
  private closed = false;

  constructor(
    private readonly world: World,
    private readonly targets: Targets,
  ) {
    this.random = world.random.fork('events');
    this.resources = {
      'AWS::Events::Rule': provision('AWS::Events::Rule', RULE, (properties, logicalId): Provisioned => {
        const name = properties.Name ?? `${logicalId.slice(0, 51)}-${this.random.hex(12)}`;
        const { arn } = this.put(
          makeRule(
            {
              name,
              arn: this.ruleArn(name),
              description: properties.Description,
              pattern: properties.EventPattern,
              schedule: properties.ScheduleExpression,
              enabled: properties.State === 'ENABLED',
              roleArn: properties.RoleArn,
            },
            properties.Targets,
          ),
        );
        return { ref: name, attributes: { Arn: arn } };
      }),
    };
    this.operations = { ...this.eventOperations(), ...this.ruleOperations() };
  }

  /** Puts an event of an AWS service on the bus. */
  emit({ source, detailType, resources, detail }: ServiceEvent): void {
    this.accept({ source, 'detail-type': detailType, resources, detail });
  }

  /** Calls `listener` for every event on the bus; returns its removal. */
  onEvent(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) timer.cancel();
  }

  private accept(
    given: Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'>,
    time = new Date(this.world.clock.now()),
  ): string {
    const { account, region } = this.world;
    const event: BusEvent = {
      version: '0',
      id: this.random.uuid(),
      'detail-type': given['detail-type'],
      source: given.source,
      account,
      time: time.toISOString().replace(/\.\d+Z$/, 'Z'),
      region,
      resources: given.resources,
      detail: given.detail,
    };
    this.counters.events++;
    for (const listener of this.listeners) listener(event);
    for (const rule of this.rules.values()) if (rule.enabled && rule.matches?.(event)) this.dispatch(rule, event);
    return event.id;
  }

  private dispatch(rule: Rule, event: BusEvent): void {
    for (const target of rule.targets) {
      const delivery = { event, rule, target };
      for (const delay of this.plan(delivery)) this.deliver(delivery, delay);
    }
  }

  private deliver(delivery: Delivery, delay: number): void {
    const { clock, latency } = this.world;
    const { rule, event } = delivery;
    clock.after(delay + latency.sample('events.delivery', `${rule.name} ${event.resources.join()}`), () => {
      if (this.closed) return;
      deliver(this.world, this.targets, delivery).then(
        () => {
          this.counters.deliveries++;
        },
        (error: unknown) => {
          this.counters.failedDeliveries++;
          this.world.log('EventBridge could not deliver an event', {
            rule: delivery.rule.name,
            target: delivery.target.Arn,
            event: delivery.event['detail-type'],
            error: error instanceof Error ? error.message : String(error),
          });
        },
      );
    });
  }

  private put(rule: Rule): Rule {
    this.rules.set(rule.name, rule);
    this.reschedule(rule);
    return rule;
  }

  private reschedule(rule: Rule): void {
    this.timers.get(rule.name)?.cancel();
    const { clock } = this.world;
    const arm = (from: number) => {
      const next = rule.nextTime?.(from);
      if (next === undefined || !rule.enabled) return;
      const timer = clock.after(next - clock.now(), () => {
        const resources = [rule.arn];
        this.dispatch(rule, this.scheduledEvent(next, resources));
        // From the time planned, not from now: a schedule does not drift.
        arm(next);
      });
      this.timers.set(rule.name, timer);
    };
    arm(clock.now());
  }

  private scheduledEvent(time: number, resources: string[]): BusEvent {
    const { account, region } = this.world;
    return {
      version: '0',
      id: this.random.uuid(),
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account,
      time: new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
      region,
      resources,
      detail: {},
    };
  }

  private ruleArn(name: string): string {
    return arnOf(this.world, 'events', `rule/${name}`);
  }

  private rule(name: string): Rule {
    const rule = this.rules.get(name);
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`);
    return rule;
  }

  private eventOperations(): Record<string, Operation> {
    return {
      PutEvents: operation({
        input: PUT_EVENTS,
        needs: ({ Entries }) => putEventsNeeds(this.world, Entries),
        handle: ({ Entries }) => {
          if (Entries.reduce((sum, entry) => sum + entrySize(entry), 0) > REQUEST_LIMIT)
            throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
          const results = Entries.map((entry) => {
            const accepted = accept(entry);
            if ('ErrorCode' in accepted) return accepted;
            const { Source, DetailType, Resources, Time, parsed } = accepted;
            const event = { source: Source, 'detail-type': DetailType, resources: Resources, detail: parsed };
            return { EventId: this.accept(event, Time) };
          });
          return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
        },
      }),
      TestEventPattern: operation({
        input: TEST_EVENT_PATTERN,
        handle: ({ EventPattern, Event }) => ({
          Result: compilePattern(parsePattern(EventPattern))(parsePattern(Event)),
        }),
      }),
    };
  }

  private ruleOperations(): Record<string, Operation> {
    const onRule = (action: string, name: string) => [{ action: `events:${action}`, resource: this.ruleArn(name) }];
    const switched = (action: string, enabled: boolean) =>
      operation({
        input: NAMED_RULE,
        needs: ({ Name }) => onRule(action, Name),
        handle: ({ Name }) => {
          const rule = this.rule(Name);
          rule.enabled = enabled;
          this.reschedule(rule);
          return {};
        },
      });
    return {
      EnableRule: switched('EnableRule', true),
      DisableRule: switched('DisableRule', false),
      PutRule: operation({
        input: PUT_RULE,
        needs: ({ Name }) => onRule('PutRule', Name),
        handle: ({ Name, Description, EventPattern, ScheduleExpression, State, RoleArn }) => {
          const { arn } = this.put(
            makeRule(
              {
                name: Name,
                arn: this.ruleArn(Name),
                description: Description,
                pattern: EventPattern === undefined ? undefined : parsePattern(EventPattern),
                schedule: ScheduleExpression,
                enabled: State === 'ENABLED',
                roleArn: RoleArn,
              },
              this.rules.get(Name)?.targets ?? [],
            ),
          );
          return { RuleArn: arn };
        },
      }),
      PutTargets: operation({
        input: PUT_TARGETS,
        needs: ({ Rule: name }) => onRule('PutTargets', name),
        handle: ({ Rule: name, Targets: given }) => {
          const rule = this.rule(name);
          checkTargets(given);
          const ids = new Set(given.map(({ Id }) => Id));
          rule.targets = [...rule.targets.filter(({ Id }) => !ids.has(Id)), ...given];
          return { FailedEntryCount: 0, FailedEntries: [] };
        },
      }),
      ListRules: operation({
        input: LIST_RULES,
        handle: ({ NamePrefix = '' }) => ({
          Rules: [...this.rules.values()].filter(({ name }) => name.startsWith(NamePrefix)).map(describe),
        }),
      }),
      DescribeRule: operation({
        input: NAMED_RULE,
        needs: ({ Name }) => onRule('DescribeRule', Name),
        handle: ({ Name }) => describe(this.rule(Name)),
      }),
      ListTargetsByRule: operation({
        input: RULE_TARGETS,
        needs: ({ Rule: name }) => onRule('ListTargetsByRule', name),
        handle: ({ Rule: name }) => ({ Targets: this.rule(name).targets }),
      }),
    };
  }
}

function describe({ name, arn, description, pattern, schedule, enabled, roleArn }: Rule): Record<string, unknown> {
  return {
    Name: name,
    Arn: arn,
    Description: description,
    EventPattern: pattern,
    ScheduleExpression: schedule,
    State: enabled ? 'ENABLED' : 'DISABLED',
    RoleArn: roleArn,
    EventBusName: 'default',
  };
}

export type { Delivery, Targets } from './delivery';
export type { BusEvent, Emit, ServiceEvent } from './event';
