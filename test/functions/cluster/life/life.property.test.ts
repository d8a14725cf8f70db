import * as fc from 'fast-check';
import { assess } from '../../../../functions/cluster/verdict';
import { tableOf } from '../table';
import { POLICY } from '../world';
import { runs } from '../worlds';
import { happenings } from './happenings';
import { observe, zoneOf } from './look';
import { Orchestrator } from './orchestrator';
import { answers, Truth } from './truth';

/** In which a repair of every slot, the dwell and the hour of the limit have room. */
const CALM = 300;

interface Beginning {
  servers: number;
  created: boolean;
}

const beginnings: fc.Arbitrary<Beginning> = fc.record({
  servers: fc.constantFrom(3, 5),
  created: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
});

function begin({ servers, created }: Beginning): Orchestrator {
  const orchestrator = new Orchestrator(created ? Truth.whole(servers) : new Truth(servers), new Set());
  if (!created) orchestrator.start();
  return orchestrator;
}

/** Every fault ends, except those of machines, which stay as they are; then so many minutes pass. */
function calm(orchestrator: Orchestrator, minutes: number): void {
  const { truth, memory, unseen } = orchestrator;
  unseen.clear();
  truth.dud = null;
  memory.cluster.paused = false;
  for (let minute = 0; minute < minutes && !isWhole(orchestrator); minute++) {
    const end = truth.now + 60_000;
    orchestrator.check();
    while (orchestrator.isAtWork && truth.now < end) orchestrator.step();
    if (truth.now < end) truth.pass(end - truth.now);
  }
}

/** In truth, and as far as the product can tell. */
function isWhole({ truth, memory, isAtWork }: Orchestrator): boolean {
  if (isAtWork) return false;
  const existing = truth.machines.filter(({ power }) => power !== 'terminated');
  return (
    existing.length === truth.servers &&
    new Set(existing.map(({ slot }) => slot)).size === truth.servers &&
    existing.every((machine) => answers(machine) && truth.isVoter(machine)) &&
    truth.members.length === truth.servers &&
    assess(observe(truth, memory, new Set()), POLICY).action === 'none'
  );
}

function describeEnd({ truth, memory, verdict }: Orchestrator): string {
  return `${verdict?.action}: ${verdict?.reason}\n${tableOf(observe(truth, memory, new Set()))}`;
}

/** Rule 5, as it really is: then nothing is to be done, and people are told. */
function isMassFailure({ truth }: Orchestrator): boolean {
  const sick = truth.voters.flatMap(({ owner }) => truth.machine(owner) ?? []).filter((machine) => !answers(machine));
  const zones = sick.map(({ slot }) => zoneOf(slot));
  return sick.length > (truth.voters.length - 1) / 2 || new Set(zones).size < zones.length;
}

const lives = (servers: fc.Arbitrary<Beginning>, most: number) => fc.tuple(servers, happenings(most));

describe('in any life of a cluster,', () => {
  it('no action breaks a safety rule, whenever it comes', () => {
    fc.assert(
      fc.property(lives(beginnings, 60), ([beginning, commands]) => {
        fc.modelRun(() => ({ model: {}, real: begin(beginning) }), commands);
      }),
      runs(300),
    );
  });

  it('what a person started becomes whole again once the faults are over, while a majority lives', () => {
    fc.assert(
      fc.property(lives(beginnings, 40), ([beginning, commands]) => {
        const orchestrator = begin(beginning);
        fc.modelRun(() => ({ model: {}, real: orchestrator }), commands);
        const { truth, memory } = orchestrator;
        if (memory.cluster.phase.name !== 'initialised' || !truth.hasQuorum || isMassFailure(orchestrator)) return;
        calm(orchestrator, CALM);
        expect(isWhole(orchestrator) || describeEnd(orchestrator)).toBe(true);
      }),
      runs(100),
    );
  });

  it('nothing is destroyed when the majority is lost, and people are told', () => {
    const lost = fc.tuple(
      beginnings.filter(({ created }) => created),
      happenings(20),
      fc.boolean(),
    );
    fc.assert(
      fc.property(lost, ([beginning, commands, terminated]) => {
        const orchestrator = begin(beginning);
        fc.modelRun(() => ({ model: {}, real: orchestrator }), commands);
        const { truth } = orchestrator;
        const dying = truth.healthyVoters.slice(0, truth.majority);
        for (const machine of dying) {
          truth.turn(machine, terminated ? { power: 'terminated', registered: false } : { hangs: true });
        }
        const members = structuredClone(truth.members);
        const living = truth.machines.filter((machine) => machine.power !== 'terminated' && truth.isMember(machine));
        calm(orchestrator, 10);
        expect(truth.members).toEqual(members);
        expect(living.filter(({ power }) => power === 'terminated')).toEqual([]);
        expect(orchestrator.verdict?.action).not.toBe('none');
        expect(orchestrator.verdict?.concern).not.toBeNull();
        expect(orchestrator.healing.refusal).not.toBeNull();
      }),
      runs(60),
    );
  });
});
