/** The life of a target: registration, health checks, draining, and what becomes of it when its instance ends. */
import type { Network } from '../../network';
import type { Ec2, Instance, InstanceState, Peer } from '../ec2';
import type { World } from '../service';
import { flag, HEALTH, type Health, type HealthCheck, invalidState, type Target, type TargetGroup } from './model';

/** A terminated instance is deregistered by Elastic Load Balancing itself, minutes later. */
const FORGET_TERMINATED_MS = 300_000;

export class Targets {
  constructor(
    private readonly world: World,
    private readonly ec2: Ec2,
    private readonly network: Network,
    private readonly groups: () => Iterable<TargetGroup>,
  ) {
    ec2.onState((instanceId, state) => this.instanceChanged(instanceId, state));
  }

  /** Registering what is registered changes nothing; registering what drains begins anew. */
  register(group: TargetGroup, instance: Instance, port: number): void {
    const key = `${instance.instanceId}:${port}`;
    const known = group.targets.get(key);
    if (known && known.health.state !== 'draining') return;
    if (known) cancel(known);
    const target: Target = {
      id: instance.instanceId,
      port,
      zone: instance.zone,
      health: HEALTH.notInUse,
      registered: false,
      stillPicked: false,
      successes: 0,
      failures: 0,
      checking: false,
      timers: [],
    };
    group.targets.set(key, target);
    this.enter(group, target);
  }

  /** Deregistering what is not registered, or drains already, changes nothing. */
  deregister(group: TargetGroup, id: string, port: number): void {
    const target = group.targets.get(`${id}:${port}`);
    if (!target || target.health.state === 'draining') return;
    cancel(target);
    if (target.health.state === 'unused') {
      this.remove(group, target);
      return;
    }
    target.stillPicked = target.health.state === 'healthy';
    this.set(group, target, HEALTH.draining);
    const { clock, latency } = this.world;
    const heard = latency.sample('elb.deregister', `${id} ${group.name}`);
    const delay = Number(group.attributes.get('deregistration_delay.timeout_seconds')) * 1000;
    target.timers.push(
      clock.after(heard, () => {
        target.stillPicked = false;
      }),
      clock.after(Math.max(heard, delay), () => {
        if (flag(group.attributes, 'deregistration_delay.connection_termination.enabled')) this.drop(group, target);
        this.remove(group, target);
      }),
    );
  }

  /** The group got its first listener: targets that waited for one begin. */
  attached(group: TargetGroup): void {
    for (const target of group.targets.values()) {
      if (target.health === HEALTH.notInUse) this.enter(group, target);
    }
  }

  close(): void {
    for (const group of this.groups()) for (const target of group.targets.values()) cancel(target);
  }

  /** The ends from which a group's load balancer connects: one per enabled zone. */
  sources(group: TargetGroup): Peer[] {
    const { groups = [], subnets = [] } = group.listeners[0]?.loadBalancer ?? {};
    return subnets.map(({ cidr }) => ({ groups, range: cidr }));
  }

  private enter(group: TargetGroup, target: Target): void {
    const loadBalancer = group.listeners[0]?.loadBalancer;
    if (!loadBalancer) {
      this.set(group, target, HEALTH.notInUse);
    } else if (!loadBalancer.subnets.some(({ zone }) => zone === target.zone)) {
      this.set(group, target, HEALTH.zoneDisabled);
    } else {
      this.set(group, target, HEALTH.registering);
      const { clock, latency } = this.world;
      target.timers.push(
        clock.after(latency.sample('elb.register', `${target.id} ${group.name}`), () => this.begin(group, target)),
      );
    }
  }

  /** The first health check runs at once, then one per interval. */
  private begin(group: TargetGroup, target: Target): void {
    target.registered = true;
    target.successes = 0;
    target.failures = 0;
    this.set(group, target, HEALTH.checking);
    const check = () => {
      this.check(group, target).catch((error: unknown) =>
        this.world.log('health check broke', { targetGroup: group.name, target: target.id, error: String(error) }),
      );
    };
    target.timers.push(this.world.clock.every(group.check.intervalSeconds * 1000, check));
    check();
  }

  private async check(group: TargetGroup, target: Target): Promise<void> {
    if (target.checking) return;
    target.checking = true;
    const { timers } = target;
    try {
      const passed = await this.passes(group, target);
      // Deregistered or restarted meanwhile: the answer is about an earlier life.
      if (target.timers === timers && target.registered) this.count(group, target, passed);
    } finally {
      target.checking = false;
    }
  }

  private async passes(group: TargetGroup, target: Target): Promise<boolean> {
    const { check } = group;
    const timeoutMs = check.timeoutSeconds * 1000;
    const address = this.ec2.instance(target.id)?.privateIp;
    const port = check.port === 'traffic-port' ? target.port : check.port;
    const peer = address ? this.ec2.peer(address) : undefined;
    if (!address || !peer || !this.sources(group).every((source) => this.ec2.admits(source, peer, port))) {
      await this.world.clock.sleep(timeoutMs);
      return false;
    }
    const probe =
      check.protocol === 'TCP' ? { protocol: check.protocol } : { protocol: check.protocol, path: check.path };
    const result = await this.network.probe('nlb', address, port, probe, timeoutMs);
    return result.ok && (check.protocol === 'TCP' || matches(check, result.status));
  }

  /**
   * A new target is healthy after one success; an unhealthy one after as many as the threshold says.
   * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
   */
  private count(group: TargetGroup, target: Target, passed: boolean): void {
    target.successes = passed ? target.successes + 1 : 0;
    target.failures = passed ? 0 : target.failures + 1;
    const { state } = target.health;
    const enough = state === 'initial' ? 1 : group.check.healthyThreshold;
    if (state !== 'healthy' && target.successes >= enough) this.set(group, target, HEALTH.healthy);
    if (state !== 'unhealthy' && target.failures >= group.check.unhealthyThreshold) {
      this.set(group, target, HEALTH.unhealthy);
      const others = [...group.targets.values()].some(({ health }) => health.state === 'healthy');
      // With nobody healthy the load balancer fails open and keeps its connections.
      if (others && flag(group.attributes, 'target_health_state.unhealthy.connection_termination.enabled')) {
        this.drop(group, target);
      }
    }
  }

  private instanceChanged(instanceId: string, state: InstanceState): void {
    for (const group of this.groups()) {
      for (const target of [...group.targets.values()].filter(({ id }) => id === instanceId)) {
        if (state === 'running' && target.health.reason === 'Target.InvalidState') this.begin(group, target);
        if (state !== 'stopped' && state !== 'terminated') continue;
        if (target.health.state === 'draining') {
          // Deregistered already: it goes on its way out.
          target.stillPicked = false;
          continue;
        }
        cancel(target);
        target.registered = false;
        target.stillPicked = false;
        this.set(group, target, invalidState(state));
        if (state === 'terminated') {
          target.timers.push(this.world.clock.after(FORGET_TERMINATED_MS, () => this.remove(group, target)));
        }
      }
    }
  }

  private set(group: TargetGroup, target: Target, health: Health): void {
    const before = target.health.state;
    target.health = health;
    if (before === health.state) return;
    this.world.log('target changed state', { targetGroup: group.name, target: target.id, state: health.state });
  }

  private drop(group: TargetGroup, target: Target): void {
    const address = this.ec2.instance(target.id)?.privateIp;
    if (address) for (const { balancer } of group.listeners) balancer?.drop(address);
  }

  private remove(group: TargetGroup, target: Target): void {
    cancel(target);
    const key = `${target.id}:${target.port}`;
    if (group.targets.get(key) === target) group.targets.delete(key);
  }
}

function cancel(target: Target): void {
  for (const timer of target.timers) timer.cancel();
  target.timers = [];
}

/** Whether a status satisfies a matcher: single codes and ranges, separated by commas. */
export function matches({ matcher }: Pick<HealthCheck, 'matcher'>, status: number | undefined): boolean {
  if (status === undefined) return false;
  return matcher.split(',').some((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return from !== undefined && to !== undefined && from <= status && status <= to;
  });
}
