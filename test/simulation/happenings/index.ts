/** Everything that can happen in a life. */
import type { Kind } from '../plan';
import { calls } from './calls';
import { events } from './events';
import { functions } from './functions';
import type { HappeningKind } from './happening';
import { machines } from './machines';
import { network } from './network';
import { person } from './person';

export const HAPPENINGS: Record<string, HappeningKind> = {
  ...machines,
  ...network,
  ...calls,
  ...events,
  ...functions,
  ...person,
};

/** Who does it, for the log. */
export const doerOf = (kind: string): string => (Object.hasOwn(person, kind) ? 'person' : 'fault');

export const KINDS: Kind[] = Object.entries(HAPPENINGS).map(([name, { grave, weight, seconds }]) => ({
  name,
  grave,
  weight,
  seconds,
}));
