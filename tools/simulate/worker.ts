/** One of the tool's processes. */
import { type Simulation, simulate } from '../../test/simulation/simulate';
import { serve } from '../pool/serve';

export interface Order {
  seed: number;
  hours: number;
  /** Only these happenings, by id; all of them when absent. */
  only?: string[];
}

serve<Order, Simulation>(({ seed, hours, only }) => simulate(seed, { hours, only }));
