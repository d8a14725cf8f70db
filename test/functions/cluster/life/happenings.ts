/** What may happen to a cluster, and the passing of its time: commands that fast-check puts in any order. */
import * as fc from 'fast-check';
import type { Unseen } from './look';
import type { Orchestrator } from './orchestrator';
import type { Dud, Machine } from './truth';

type Command = fc.Command<object, Orchestrator>;

/** @param does with the machine that its slot has to lose */
function happening(text: string, does: (orchestrator: Orchestrator) => void): Command {
  return {
    check: () => true,
    run: (_, orchestrator) => does(orchestrator),
    toString: () => text,
  };
}

function machineOf(slot: number, what: string, change: (machine: Machine) => Partial<Machine> | null): Command {
  return happening(`server-${slot} ${what}`, ({ truth }) => {
    const machine = truth.serverOf(slot % truth.servers);
    const changed = machine && change(machine);
    if (machine && changed) truth.turn(machine, changed);
  });
}

const slot = fc.nat(4);
const minutes = fc.integer({ min: 1, max: 10 });
const seconds = fc.constantFrom(10, 30, 60, 90);

/** The usual: the healer looks, and the execution works. */
const ROUTINE: fc.Arbitrary<Command>[] = [
  fc.constant(happening('the execution goes a step', (orchestrator) => orchestrator.step())),
  fc.nat(20).map((steps) =>
    happening(`the execution goes ${steps} steps`, (orchestrator) => {
      for (let n = 0; n < steps; n++) orchestrator.step();
    }),
  ),
  fc.constant(happening('the healer looks', (orchestrator) => orchestrator.check())),
  seconds.map((time) => happening(`${time} s pass`, ({ truth }) => truth.pass(time * 1000))),
  minutes.map((time) =>
    happening(`${time} min pass`, (orchestrator) => {
      for (let n = 0; n < time; n++) {
        orchestrator.truth.pass(60_000);
        orchestrator.check();
      }
    }),
  ),
];

const MISFORTUNES: fc.Arbitrary<Command>[] = [
  slot.map((n) => machineOf(n, 'is terminated', () => ({ power: 'terminated', registered: false }))),
  slot.map((n) => machineOf(n, 'is stopped', ({ power }) => (power === 'running' ? { power: 'stopped' } : null))),
  slot.map((n) => machineOf(n, 'is started', ({ power }) => (power === 'stopped' ? { power: 'running' } : null))),
  slot.map((n) => machineOf(n, 'hangs', () => ({ hangs: true }))),
  slot.map((n) => machineOf(n, 'hangs, and EC2 notices', () => ({ hangs: true, impaired: true }))),
  slot.map((n) => machineOf(n, 'recovers', () => ({ hangs: false, impaired: false }))),
  slot.map((n) => machineOf(n, 'is deregistered by somebody', () => ({ registered: false }))),
  fc.constant(happening('the execution is aborted', (orchestrator) => orchestrator.abort())),
  fc.constant(happening('a person starts the workflow', (orchestrator) => orchestrator.start())),
  fc.constant(happening('a person pauses healing', ({ memory }) => Object.assign(memory.cluster, { paused: true }))),
  fc.constant(happening('a person resumes healing', ({ memory }) => Object.assign(memory.cluster, { paused: false }))),
  fc
    .constantFrom<Dud>('silent', 'preparing')
    .map((dud) => happening(`the next machine will be ${dud} for ever`, ({ truth }) => (truth.dud = dud))),
  fc
    .constantFrom<Unseen>('instances', 'targets', 'status checks', 'reports')
    .map((what) => happening(`${what} cannot be read`, ({ unseen }) => unseen.add(what))),
  fc.constant(happening('everything can be read again', ({ unseen }) => unseen.clear())),
];

export const happenings = (most: number) =>
  fc.commands<object, Orchestrator>([...ROUTINE, ...ROUTINE, ...MISFORTUNES], { maxCommands: most });
