/** When something that was begun will be done: other people's computers take their time. */
import type { World } from '../../aws/service';

export class Appointments {
  private readonly due = new Map<string, number>();

  constructor(private readonly world: World) {}

  /** False until so much time has passed since the first call; then true once. `ms`: one step with Let's Encrypt. */
  reached(key: string, ms = () => this.world.latency.sample('acme.request')): boolean {
    const now = this.world.clock.now();
    const at = this.due.get(key) ?? now + ms();
    this.due.set(key, at);
    if (now < at) return false;
    this.due.delete(key);
    return true;
  }
}
