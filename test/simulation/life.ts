/** The course of a life: a creation, storms, and calm in which everything must become well again. */
import { unsettled } from './invariants/settled';
import type { Happening, Storm } from './plan';
import type { Stage } from './stage';
import type { Watch } from './watch';

const HOUR_MS = 3_600_000;
/** How often the state is looked at in calm, and a person looks after what only people do, seconds. */
const LOOK_SECONDS = 20;
/** After this long in calm without a majority nobody waits any more, ms. */
const GIVE_UP_MS = 30 * 60_000;
/** By then a cluster with a majority is whole, ms of calm. */
const CONVERGED_MS = 30 * 60_000;
/** By then it is when people were told of the limit of replacements: an hour until it allows another one, and the same again. */
const LIMITED_MS = 90 * 60_000;
const LIMITED = /too many replacements within an hour/;
/** What the message about a lost majority says. */
const LOST = /the majority (may be lost|is at risk)|no server runs K3s any more/;

export class Life {
  /** Ids of what took place. */
  readonly happened: string[] = [];
  private statesEntered = 0;
  private waiting: { happening: Happening; states: number }[] = [];

  constructor(
    private readonly stage: Stage,
    watch: Watch,
    /** Makes it happen; whether it could. */
    private readonly begin: (happening: Happening) => boolean,
  ) {
    watch.onState = () => {
      this.statesEntered++;
      const due = this.waiting.filter(({ states }) => states <= this.statesEntered);
      if (due.length === 0) return;
      this.waiting = this.waiting.filter((other) => !due.includes(other));
      // Not within the listener: it is called in the middle of a state's entry.
      for (const { happening } of due) this.stage.cluster.clock.after(0, () => this.happen(happening));
    };
  }

  async live(storms: Storm[], hours: number): Promise<void> {
    const { stage } = this;
    const end = stage.truth.now + hours * HOUR_MS;
    stage.journal.note('person', 'creates the cluster');
    stage.start('cluster');
    for (const storm of storms) {
      if (!(await this.storm(storm, end)) || !(await this.calm(storm, end))) return;
    }
  }

  /** False: the life is over. */
  private async storm(storm: Storm, end: number): Promise<boolean> {
    const { clock } = this.stage.cluster;
    this.statesEntered = 0;
    this.stage.calmSince = undefined;
    const timers = storm.happenings.flatMap((happening) => {
      const { when } = happening;
      if ('states' in when) {
        this.waiting.push({ happening, states: when.states });
        return [];
      }
      return [clock.after(when.seconds * 1000, () => this.happen(happening))];
    });
    const goesOn = await this.pass(storm.seconds, end);
    for (const timer of timers) timer.cancel();
    this.waiting = [];
    this.stage.doom = undefined;
    this.stage.endAll();
    return goesOn;
  }

  private happen(happening: Happening): void {
    if (this.begin(happening)) this.happened.push(happening.id);
  }

  /** Nothing goes wrong until everything is well, and then for a while. False: the life is over. */
  private async calm({ idleSeconds }: Storm, end: number): Promise<boolean> {
    const { truth, journal } = this.stage;
    journal.note('-', 'nothing goes wrong any more');
    this.stage.calmSince = truth.now;
    await this.repairMachines();
    if (!(await this.settle(end))) return false;
    const again = truth.wanted.desired === 'absent';
    if (again) {
      journal.note('person', 'creates the cluster');
      this.stage.start('cluster');
    }
    // What was well stays so; the next storm may meet a creation.
    return (await this.pass(idleSeconds, end)) && (again || (await this.settle(end)));
  }

  /** Until everything is well; a person does what only a person can. False: the life is over. */
  private async settle(end: number): Promise<boolean> {
    const { stage } = this;
    const { truth, journal } = stage;
    // Without a majority nobody can make it whole.
    let since = truth.now;
    let calm = truth.now;
    let limited = false;
    for (let left = unsettled(stage); left.length > 0; left = unsettled(stage)) {
      const { now, lostSince } = truth;
      if (lostSince !== undefined) since = now;
      // Also when the next message has said that a server was replaced at last.
      limited ||= this.told(LIMITED);
      if (now - since >= (limited ? LIMITED_MS : CONVERGED_MS)) {
        const untold = stage.told ? '' : ', and nobody was told';
        const what = `after ${(now - since) / 60_000} min ${unsettled(stage, true).join('; ')}${untold}`;
        stage.violate('rule 11: without faults the cluster becomes whole', what);
        return false;
      }
      if (lostSince !== undefined && now - Math.max(lostSince, calm) >= GIVE_UP_MS) {
        if (!this.told(LOST)) stage.violate('rule 16: a refusal is told', 'nobody was told that the majority is lost');
        journal.note('person', 'deletes the cluster: its majority is lost');
        stage.start('delete');
        calm = now;
      } else {
        this.lookAfter();
      }
      if (!(await this.pass(LOOK_SECONDS, end))) return false;
    }
    return true;
  }

  /** Since everything was last said to be well. */
  private told(what: RegExp): boolean {
    return [...this.stage.mails.keys()].some((subject) => what.test(subject));
  }

  /** Somebody was told that the majority may be lost, and brings back what can be. */
  private async repairMachines(): Promise<void> {
    const { stage } = this;
    if (stage.truth.lostSince === undefined) return;
    for (const instance of stage.truth.living) {
      const hangs = instance.state === 'running' && instance.unreachableSince !== undefined;
      if (instance.state !== 'stopped' && !hangs) continue;
      stage.journal.note('person', `powers ${stage.label(instance.instanceId)} off and on`);
      await stage.powerCycle(instance);
    }
  }

  /** The healer never creates a cluster and never deletes one: what failed half-way is a person's to start again. */
  private lookAfter(): void {
    const { stage } = this;
    const { desired, phase } = stage.truth.wanted;
    if (stage.running.length > 0 || (desired === 'present' && phase === 'initialised')) return;
    const last = stage.aws.services.states
      .listExecutions()
      .reduce((one, other) => ((other.stoppedAt ?? 0) >= (one.stoppedAt ?? 0) ? other : one));
    if (last.status === 'SUCCEEDED') return;
    stage.journal.note('person', desired === 'present' ? 'starts the creation again' : 'starts the deletion again');
    stage.start(desired === 'present' ? 'cluster' : 'delete');
  }

  /** Lets time pass; false: the life is over, by its length or by a violation. */
  private async pass(seconds: number, end: number): Promise<boolean> {
    const { stage } = this;
    let left = Math.min(seconds * 1000, end - stage.truth.now);
    while (left > 0 && stage.violations.length === 0) {
      const step = Math.min(left, 10_000);
      await stage.cluster.clock.advance(step);
      left -= step;
    }
    return stage.violations.length === 0 && stage.truth.now < end;
  }
}
