/** What the tool and its workers say to each other. */
import type { Simulation } from '../../test/simulation/simulate';

export interface Order {
  seed: number;
  hours: number;
  /** Only these happenings, by id; all of them when absent. */
  only?: string[];
}

export type Answer = { ok: true; simulation: Simulation } | { ok: false; seed: number; error: string };
