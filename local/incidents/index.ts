/**
 * Makes things go wrong in the embedded AWS: with machines, with an availability zone, with a service. What happens then
 * is nobody's decision here: EC2, the network, the SSM agent and K3s each behave as they would.
 */
import type { Instance } from '../aws/ec2';
import { AwsError, type World } from '../aws/service';
import type { K3s } from '../k3s';
import type { Network } from '../network';
import type { Services } from '../services';
import { type Incident, IncidentRefused, type IncidentRequest, parseIncident } from './incident';

export { type Incident, IncidentRefused, type IncidentRequest, parseIncident } from './incident';

/** An incident that happened. */
export interface IncidentReport {
  /** `fault-1`, `fault-2`, … */
  id: string;
  /** AWS time, ISO 8601. */
  at: string;
  kind: Incident['kind'];
  /** What was done, to people. */
  effect: string;
  instanceId?: string;
  slot?: number;
  availabilityZone?: string;
  service?: string;
  factor?: number;
}

/** What `clear` ended, and what it cannot end. */
export interface Cleared {
  ended: IncidentReport[];
  remaining: IncidentReport[];
}

/** What goes on after an incident began. */
interface Course {
  effect: string;
  /** Ends it. Absent: only the end of its machine does. */
  end?: () => void;
  /** Whether it still goes on. Absent: it was over at once. */
  goesOn?: () => boolean;
}

type Target = Pick<IncidentReport, 'instanceId' | 'slot' | 'availabilityZone' | 'service' | 'factor'>;

/** Systemd needs some seconds to start K3s again: killing it this often lets it never become ready. */
const CRASH_EVERY_MS = 1000;

export class Incidents {
  private readonly active = new Map<string, { report: IncidentReport; course: Course }>();
  private count = 0;

  constructor(
    private readonly world: World,
    private readonly services: Services,
    private readonly network: Network,
    private readonly k3s: Pick<K3s, 'crash'>,
  ) {}

  /**
   * Makes something go wrong, now.
   *
   * @throws IncidentRefused when it makes no sense, or its target does not exist or is in no state for it
   */
  inject(request: IncidentRequest): IncidentReport {
    const incident = parseIncident(request);
    const { target, course } = this.begin(incident);
    const report: IncidentReport = {
      id: `fault-${++this.count}`,
      at: new Date(this.world.clock.now()).toISOString(),
      kind: incident.kind,
      effect: course.effect,
      ...target,
    };
    this.world.log('fault injected', { ...report });
    if (course.goesOn) this.active.set(report.id, { report, course });
    return report;
  }

  /** What still goes on, oldest first. */
  list(): IncidentReport[] {
    for (const [id, { course }] of [...this.active]) {
      if (course.goesOn?.()) continue;
      this.active.delete(id);
      course.end?.();
    }
    return [...this.active.values()].map(({ report }) => report);
  }

  /** Ends what can end. A hang ends with the machine's power only. */
  clear(): Cleared {
    const ended = this.list().filter(({ id }) => this.active.get(id)?.course.end);
    for (const { id } of ended) {
      const { course } = this.active.get(id)!;
      this.active.delete(id);
      course.end?.();
    }
    if (ended.length > 0) this.world.log('faults ended', { ids: ended.map(({ id }) => id) });
    return { ended, remaining: this.list() };
  }

  private begin(incident: Incident): { target: Target; course: Course } {
    switch (incident.kind) {
      case 'partition': {
        const { availabilityZone } = incident;
        return { target: { availabilityZone }, course: this.partition(this.zone(availabilityZone)) };
      }
      case 'never-boots':
        return { target: omitUndefined(incident), course: this.neverBoots(incident) };
      case 'slow': {
        const { factor } = incident;
        const service = this.service(incident.service, ['k3s']);
        return { target: { service, factor }, course: this.slow(service, factor) };
      }
      case 'throttle': {
        const service = this.service(incident.service);
        return { target: { service }, course: this.throttle(service) };
      }
      default: {
        const instance = this.server(incident);
        const slot = slotOf(instance);
        const target = {
          instanceId: instance.instanceId,
          ...(slot === undefined ? {} : { slot }),
          availabilityZone: instance.zone,
        };
        return { target, course: this.machine(incident.kind, instance) };
      }
    }
  }

  private machine(kind: 'terminate' | 'stop' | 'hang' | 'k3s-crash' | 'agent-lost', instance: Instance): Course {
    const { ec2 } = this.services;
    const { instanceId } = instance;
    const name = nameOf(instance);
    switch (kind) {
      case 'terminate':
        if (!isLiving(instance)) throw new IncidentRefused(409, `${name} is ${instance.state} already`);
        conflicting(() => ec2.terminate(instanceId));
        return { effect: `${name} is being terminated` };
      case 'stop':
        if (instance.state !== 'running') throw new IncidentRefused(409, `${name} is ${instance.state}, not running`);
        conflicting(() => ec2.stop(instanceId));
        return { effect: `${name} is being stopped` };
      case 'hang': {
        const { machine } = booted(instance);
        ec2.freeze(instanceId);
        return {
          effect: `the kernel of ${name} hangs until its power goes`,
          goesOn: () => ec2.instance(instanceId)?.machine === machine,
        };
      }
      case 'k3s-crash': {
        booted(instance);
        this.k3s.crash(instanceId);
        const timer = this.world.clock.every(CRASH_EVERY_MS, () => {
          if (isLiving(ec2.instance(instanceId))) this.k3s.crash(instanceId);
          else timer.cancel();
        });
        return {
          effect: `K3s on ${name} crashes whenever it is started; its containers run on`,
          goesOn: () => isLiving(ec2.instance(instanceId)),
          end: () => timer.cancel(),
        };
      }
      case 'agent-lost':
        return this.agentLost(instance);
    }
  }

  private agentLost(instance: Instance): Course {
    const { ec2, ssm } = this.services;
    const { instanceId } = instance;
    const name = nameOf(instance);
    if (instance.state !== 'running') throw new IncidentRefused(409, `${name} is ${instance.state}, not running`);
    ssm.loseAgent(instanceId);
    return {
      effect: `the SSM agent of ${name} is dead; the server runs on`,
      goesOn: () => isLiving(ec2.instance(instanceId)),
      end: () => {
        if (isLiving(ec2.instance(instanceId))) ssm.restoreAgent(instanceId);
      },
    };
  }

  /** Everything outside is cut off: other zones, the load balancer (`nlb`), AWS (`aws`) and the internet. */
  private partition(zone: string): Course {
    const inside = (address: string) =>
      this.services.ec2.instances().some((instance) => instance.privateIp === address && instance.zone === zone);
    return {
      effect: `no packet enters or leaves ${zone}`,
      end: this.network.block((from, to) => inside(from) !== inside(to)),
      goesOn: always,
    };
  }

  private neverBoots({ slot, availabilityZone }: { slot?: number; availabilityZone?: string }): Course {
    const zone = availabilityZone === undefined ? undefined : this.zone(availabilityZone);
    const { clock } = this.world;
    const since = clock.now();
    const hit = (instance: Instance) =>
      instance.createdAt >= since && (zone === undefined ? slotOf(instance) === slot : instance.zone === zone);
    return {
      effect: `what is launched from now on ${zone === undefined ? `for server-${slot}` : `in ${zone}`} does not boot`,
      end: this.services.ec2.preventBoot(hit),
      goesOn: always,
    };
  }

  private slow(service: string, factor: number): Course {
    return {
      effect: `${service === '*' ? 'everything' : service} takes ${factor} times as long`,
      end: this.world.faults.slow(service, factor),
      goesOn: always,
    };
  }

  private throttle(service: string): Course {
    return {
      effect: `every call of ${service === '*' ? 'any service' : service} is throttled`,
      end: this.world.faults.onCall(service, '*', { kind: 'throttle' }),
      goesOn: always,
    };
  }

  /** The instance itself, or the newest living one of the slot. */
  private server({ instanceId, slot }: { instanceId?: string; slot?: number }): Instance {
    const { ec2 } = this.services;
    if (instanceId !== undefined) {
      const instance = ec2.instance(instanceId);
      if (!instance) throw new IncidentRefused(404, `EC2 knows no instance ${instanceId}`);
      return instance;
    }
    const living = ec2.instances().filter(isLiving);
    const inSlot = living.filter((instance) => slotOf(instance) === slot);
    const newest = inSlot.at(-1);
    if (newest) return newest;
    const others = [...new Set(living.map(slotOf))]
      .filter((other) => other !== undefined)
      .sort((a, b) => a - b)
      .map((other) => `server-${other}`);
    const known =
      others.length === 0 ? 'there are none' : `there ${others.length === 1 ? 'is' : 'are'} ${others.join(', ')}`;
    throw new IncidentRefused(404, `there is no server-${slot}: ${known}`);
  }

  private zone(name: string): string {
    const { zones, region } = this.world;
    if (zones.includes(name)) return name;
    throw new IncidentRefused(404, `${region} has no availability zone ${name}; it has ${zones.join(', ')}`);
  }

  /** `more`: what else can be named beside the services of AWS. */
  private service(name: string, more: readonly string[] = []): string {
    const known = [...Object.values(this.services).map((service) => service.name), ...more, '*'].sort();
    if (known.includes(name)) return name;
    throw new IncidentRefused(404, `there is no service ${name}; there are ${known.join(', ')}`);
  }
}

const always = () => true;

const isLiving = (instance: Instance | undefined): boolean =>
  instance !== undefined && instance.state !== 'shutting-down' && instance.state !== 'terminated';

function slotOf({ tags }: Instance): number | undefined {
  const tag = tags.get('k3s:slot');
  return tag === undefined ? undefined : Number(tag);
}

function nameOf(instance: Instance): string {
  const slot = slotOf(instance);
  return slot === undefined ? instance.instanceId : `server-${slot} (${instance.instanceId})`;
}

function booted(instance: Instance): Pick<Instance, 'machine'> {
  if (instance.machine) return instance;
  throw new IncidentRefused(409, `${nameOf(instance)} is ${instance.state} and its kernel is not up`);
}

/** What EC2 refuses because of the instance's state. */
function conflicting(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (error instanceof AwsError) throw new IncidentRefused(409, error.message);
    throw error;
  }
}

function omitUndefined({ slot, availabilityZone }: Target): Target {
  return {
    ...(slot === undefined ? {} : { slot }),
    ...(availabilityZone === undefined ? {} : { availabilityZone }),
  };
}
