/**
 * What the playbook of the reference article does (https://blog.otvl.org/blog/k3s-ha-experiment), on the same delays: one
 * thing after the other, over SSH from a person's computer. Computed link by link, and generous: no time for the tools, for
 * connections or for the person, no agent to wait for, and it looks at least as often as the workflow does.
 */
import { type Draw, joined, type Machine, noted, running, started } from './chain';

/** How often it looks whether what it waits for has come true, ms. */
const POLL = 2000;

export const STAGES = ['launch', 'wait', 'install', 'init', 'join', 'join again', 'apply', 'register'] as const;
export type Stage = (typeof STAGES)[number];

/** When each stage has ended, ms. The last one ends when every target group sends traffic to every server. */
export function baseline(draw: Draw, machines: Machine[], targetGroups: string[]): Record<Stage, number> {
  const [first, second, third] = machines;
  if (!first || !second || !third) throw new Error('the article’s cluster has three servers');
  // Each stage is seen to have ended at the first look after it has.
  const after = (begin: number, ends: number) => begin + POLL * Math.ceil((ends - begin) / POLL);
  const all = (begin: number, ends: (machine: Machine) => number) =>
    machines.reduce((now, machine) => after(now, now + ends(machine)), begin);

  const launch = all(0, (machine) => running(draw, machine, 0));
  const wait = all(launch, ({ instanceId }) => draw('ec2.boot', instanceId));
  const install = all(wait, ({ instanceId }) => draw('download.k3s', instanceId));
  const { ready, tick } = started(draw, first, install);
  const init = after(install, ready);
  const join = after(init, joined(draw, second, init, tick));
  const again = after(join, joined(draw, third, join, tick));
  const apply = after(again, again + draw('k3s.kubectl', first.instanceId));
  const register = after(apply, Math.max(...machines.map((machine) => noted(draw, machine, targetGroups, apply))));
  return { launch, wait, install, init, join, 'join again': again, apply, register };
}
