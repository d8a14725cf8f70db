/**
 * What will go wrong in a life, drawn from its seed before it begins: storms, each with calm after it. Nothing in it
 * depends on what the cluster does, so that a happening can be left out without changing the others.
 */
import { Random } from '../../local/random';

export interface Happening {
  /** `3.1`: the second one of the fourth storm. */
  id: string;
  kind: string;
  /** After so many seconds of the storm, or when the workflows have entered so many states since it began. */
  when: { seconds: number } | { states: number };
  /** For the choices of its own. */
  random: Random;
}

export interface Storm {
  seconds: number;
  happenings: Happening[];
  /** How long nothing happens once all is well again. */
  idleSeconds: number;
}

/** A kind of happening as far as planning goes. */
export interface Kind {
  name: string;
  /** `grave` ones cost a server or cut it off: seldom more than one at a time. */
  grave: boolean;
  weight: number;
  /** A storm with it lasts for as long as this, at least. */
  seconds?: number;
}

/** More than any life has: a storm lasts some minutes. */
const STORMS = 64;
/** How many grave ones a storm has: out of ten storms. */
const GRAVE = [0, 0, 1, 1, 1, 1, 1, 1, 1, 2];
const LIGHT = [0, 0, 1, 1, 1, 2, 2, 3, 4, 5];

export function planLife(seed: number, kinds: readonly Kind[]): Storm[] {
  const random = new Random(`life ${seed}`);
  return Array.from({ length: STORMS }, (_, index) => planStorm(random.fork(`storm ${index}`), index, kinds));
}

function planStorm(random: Random, index: number, kinds: readonly Kind[]): Storm {
  const seconds = 60 + random.integer(900);
  const grave = kinds.filter((kind) => kind.grave);
  const light = kinds.filter((kind) => !kind.grave);
  const chosen = [
    ...Array.from({ length: random.pick(GRAVE) }, () => choose(grave, random)),
    ...Array.from({ length: random.pick(LIGHT) }, () => choose(light, random)),
  ];
  const happenings = chosen.map((kind, place): Happening => {
    const id = `${index}.${place}`;
    const own = random.fork(id);
    const when = own.next() < 0.4 ? { states: 1 + own.integer(60) } : { seconds: own.integer(seconds) };
    return { id, kind, when, random: own };
  });
  const longest = Math.max(
    ...kinds.filter(({ name }) => chosen.includes(name)).map((kind) => kind.seconds ?? 0),
    seconds,
  );
  return { seconds: longest, happenings, idleSeconds: 60 + random.integer(3600) };
}

function choose(kinds: readonly Kind[], random: Random): string {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const { name, weight } of kinds) {
    left -= weight;
    if (left < 0) return name;
  }
  throw new RangeError('there is no kind to choose from');
}
