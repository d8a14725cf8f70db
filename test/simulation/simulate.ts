/**
 * One life of a cluster, from its creation through storms of faults and calm between them, judged at every step. All of
 * it is in this process and in virtual time, and all chance comes from the seed: the same seed gives the same log.
 */
import { bootTest } from '../support/embedded';
import { doerOf, HAPPENINGS, KINDS } from './happenings';
import { tellingSecrets } from './invariants/secrets';
import { Journal } from './journal';
import { Life } from './life';
import { type Happening, planLife } from './plan';
import { Sandboxes } from './sandboxes';
import { Stage, type Violation } from './stage';
import { Watch } from './watch';

export interface SimulationOptions {
  /** How long the life is, hours of AWS time; 6 unless given. */
  hours?: number;
  /** Only these happenings, by id; all of them unless given. */
  only?: readonly string[];
  /**
   * False: functions call AWS over the wire, as bytes. Nothing is decided by it, but it may be decided a moment later: what
   * a function asks at one instant leaves the SDK after more or fewer turns, so that it arrives in another order, and the
   * n-th call to arrive takes the n-th delay that was drawn.
   */
  shortcut?: boolean;
}

/** What became of a life. Its shape is what the mutation tests rely on. */
export interface Simulation {
  seed: number;
  /** Empty unless a rule was broken; the life ends at the first. */
  violations: Violation[];
  /** What happened, one line each. */
  log: string[];
  /** What went wrong or was done by people, by kind, how often. */
  faults: Record<string, number>;
  /** What the product decided, by kind, how often. */
  decisions: Record<string, number>;
  /** Of the happenings that took place, in their order. */
  happened: string[];
}

/** @param seed a whole number */
export async function simulate(
  seed: number,
  { hours = 6, only, shortcut = true }: SimulationOptions = {},
): Promise<Simulation> {
  const watch = new Watch();
  const cluster = await bootTest({
    seed: `simulation ${seed}`,
    runtime: (surroundings) => new Sandboxes(surroundings, watch, { shortcut }),
    observe: (call) => watch.observed(call),
    log: false,
  });
  try {
    const journal = new Journal(() => cluster.clock.now());
    const stage = new Stage(cluster, journal);
    watch.begin(stage);
    const storms = planLife(seed, KINDS).map((storm) => ({
      ...storm,
      happenings: storm.happenings.filter(({ id }) => only?.includes(id) ?? true),
    }));
    const life = new Life(stage, watch, (happening) => begin(happening, stage));
    await life.live(storms, hours);
    for (const { message } of cluster.unexpectedDenials) stage.violate('no call of ours is denied', message);
    for (const place of await tellingSecrets(cluster.aws)) stage.violate('nobody is told a secret', place);
    const { violations } = stage;
    return {
      seed,
      violations,
      log: journal.lines,
      faults: journal.table('faults'),
      decisions: journal.table('decisions'),
      happened: life.happened,
    };
  } finally {
    await cluster.close();
  }
}

/** Whether it could happen. */
function begin({ kind, random }: Happening, stage: Stage): boolean {
  const { length } = stage.journal.lines;
  const effect = HAPPENINGS[kind]?.begin(stage, random) ?? null;
  if (effect === null) return false;
  stage.journal.note(doerOf(kind), effect, length);
  stage.journal.count('faults', kind);
  return true;
}
