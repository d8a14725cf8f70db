/**
 * The safety rules as laws about the truth: they hold at every action of the workflow, whatever it believed when it acted.
 * Written without the code under test.
 */
import type { Machine, Truth } from './truth';

/** A safety rule was broken. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

function law(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}

/** Rules 1, 2 and 5, when a machine is about to be terminated. */
export function onTermination(truth: Truth, machine: Machine): void {
  if (machine.power === 'terminated') return;
  const others = truth.members.filter(({ owner }) => owner !== machine.id);
  const learning = others.filter(({ owner, learner }) => learner && truth.machine(owner)?.power === 'running');
  law(learning.length === 0 || !truth.isVoter(machine), `${machine.id} is terminated while another is a learner`);
  if (!truth.isVoter(machine)) return;
  law(truth.hasQuorum, `${machine.id} is terminated although the majority is lost`);
  leavesMajority(truth, machine.id, 'terminated');
}

/** Rules 1 and 4, when a member is about to be removed. */
export function onRemoval(truth: Truth, instanceId: string): void {
  const machine = truth.machine(instanceId);
  law(machine === undefined || machine.power === 'terminated', `${instanceId} is removed while its machine may run`);
  leavesMajority(truth, instanceId, 'removed');
}

function leavesMajority(truth: Truth, instanceId: string, what: string): void {
  const left = truth.voters.filter(({ owner }) => owner !== instanceId).length;
  const healthy = truth.healthyVoters.filter(({ id }) => id !== instanceId).length;
  law(healthy > left / 2, `${instanceId} is ${what}: ${healthy} healthy voters of ${left} are left`);
}

/** One machine per slot, and one more in the whole cluster, the one that is being launched included. */
export function onLaunch(truth: Truth, slot: number): void {
  const living = truth.machines.filter(({ power }) => power !== 'terminated').map((machine) => machine.slot);
  const surge = living.length + 1 - new Set([...living, slot]).size;
  law(surge <= 1, `server-${slot} gets a machine beside those in ${living.map((other) => `server-${other}`)}`);
}

/** Rule 12. */
export function onBeginning(truth: Truth): void {
  law(truth.beginnings === 0, 'a second cluster is begun');
}

/** Rule 8. */
export function onReplacement(times: readonly number[]): void {
  const last = times.at(-1) ?? 0;
  const within = times.filter((time) => time > last - 3_600_000);
  law(within.length <= 3, `${within.length} servers are replaced within an hour`);
}
