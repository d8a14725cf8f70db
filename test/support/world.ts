import type { World } from '../../local/aws/service';
import { VirtualClock } from '../../local/clock';
import { Credentials } from '../../local/credentials';
import { Faults } from '../../local/faults';
import { Latency } from '../../local/latency';
import { Random } from '../../local/random';

export interface TestWorld extends World {
  clock: VirtualClock;
  /** What was logged. */
  lines: { message: string; detail?: Record<string, unknown> }[];
}

/** A world in virtual time, the same for the same seed. */
export function testWorld(seed: number | string = 1): TestWorld {
  const random = new Random(seed);
  const lines: TestWorld['lines'] = [];
  return {
    clock: new VirtualClock(),
    random,
    latency: new Latency(random.fork('latency')),
    faults: new Faults(),
    credentials: new Credentials(random.fork('credentials')),
    account: '123456789012',
    region: 'eu-west-3',
    zones: ['eu-west-3a', 'eu-west-3b', 'eu-west-3c'],
    lines,
    log: (message, detail) => lines.push({ message, detail }),
  };
}
