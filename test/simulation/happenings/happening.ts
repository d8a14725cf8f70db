import type { Random } from '../../../local/random';
import type { Stage } from '../stage';

/** One way in which something goes wrong, or in which a person acts. */
export interface HappeningKind {
  /** Costs a server or cuts it off. */
  grave: boolean;
  /** How often compared with others of its gravity. */
  weight: number;
  /** A storm with it lasts for as long as this, at least. */
  seconds?: number;
  /** Makes it happen, at once. What it did, in words; null when there is nothing that it could happen to. */
  begin(stage: Stage, random: Random): string | null;
}
