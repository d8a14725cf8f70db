import { AwsError, type World } from '../service';
import { INSTANCE_TYPES } from './instance-types';

/** What each zone has and offers, by instance type: everything until a person or a test says otherwise. */
export class Capacity {
  private readonly exhausted = new Set<string>();
  private readonly notOffered = new Set<string>();

  constructor(private readonly world: World) {}

  /** Whether launches of a type (`*`: any) succeed in a zone. */
  set(zone: string, type: string, available: boolean): void {
    toggle(this.exhausted, `${zone}/${type}`, !available);
  }

  /** Whether a zone offers a type at all. */
  setOffered(zone: string, type: string, offered: boolean): void {
    toggle(this.notOffered, `${zone}/${type}`, !offered);
  }

  offered(zone: string): string[] {
    return [...INSTANCE_TYPES.keys()].filter((type) => !this.notOffered.has(`${zone}/${type}`));
  }

  /** @throws AwsError Unsupported, InsufficientInstanceCapacity: a server error, which SDK clients retry by themselves */
  claim(zone: string, type: string): void {
    if (this.notOffered.has(`${zone}/${type}`)) {
      throw new AwsError(
        'Unsupported',
        `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${this.others(zone)}.`,
      );
    }
    if (this.exhausted.has(`${zone}/${type}`) || this.exhausted.has(`${zone}/*`)) {
      throw new AwsError(
        'InsufficientInstanceCapacity',
        `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity. You can currently get ${type} capacity by not specifying an Availability Zone in your request or choosing ${this.others(zone)}.`,
        500,
      );
    }
  }

  private others(zone: string): string {
    return this.world.zones.filter((other) => other !== zone).join(', ');
  }
}

function toggle(set: Set<string>, key: string, present: boolean): void {
  if (present) set.add(key);
  else set.delete(key);
}
