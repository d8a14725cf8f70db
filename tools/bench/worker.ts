/** One of the tool's processes. */
import { serve } from '../pool/serve';
import { type Measured, measure } from './trial';

export interface Order {
  seed: number;
}

serve<Order, Measured>(({ seed }) => measure(seed));
