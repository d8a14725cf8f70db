/**
 * How fast any design could be: the longest chain of delays that AWS and K3s impose while the safety rules hold, on the
 * very delays that one run met. No polling, no function, no transition, no call but the launch itself. docs/performance.md
 * says of each link why nobody escapes it.
 */
import { type Draw, joined, type Machine, noted, running, started } from './chain';

/** What the bound holds for. */
export interface Setting {
  draw: Draw;
  targetGroups: string[];
  /** Designs that tell a node what to do through SSM, as this one: its agent must have registered. False: all designs. */
  throughSsm: boolean;
}

/** Milliseconds since what is measured began. */
export interface Bound {
  /** Every server is Ready and votes. */
  voters: number;
  /** And every target group sends it traffic. */
  serving: number;
}

/** K3s is on its disk, and it can be told what to do. */
function prepared({ draw, throughSsm }: Setting, machine: Machine, launch: number): number {
  const { instanceId } = machine;
  const up = running(draw, machine, launch);
  const installed = up + draw('ec2.boot', instanceId) + draw('download.k3s', instanceId);
  return throughSsm ? Math.max(installed, up + draw('ssm.agent-online', instanceId)) : installed;
}

function receiving({ draw, targetGroups }: Setting, machine: Machine, launch: number): number {
  return noted(draw, machine, targetGroups, running(draw, machine, launch));
}

/** All are launched at once; the best one starts the cluster as soon as it can, the others join in the best order. */
export function creation(setting: Setting, machines: Machine[]): Bound {
  const voters = Math.min(...orders(machines).map((order) => inOrder(setting, order)));
  const traffic = Math.max(...machines.map((machine) => receiving(setting, machine, 0)));
  return { voters, serving: Math.max(voters, traffic) };
}

function inOrder(setting: Setting, [first, ...joiners]: Machine[]): number {
  if (!first) throw new Error('a cluster has at least one server');
  const { ready, tick } = started(setting.draw, first, prepared(setting, first, 0));
  return joiners.reduce(
    (before, joiner) => joined(setting.draw, joiner, Math.max(before, prepared(setting, joiner, 0)), tick),
    ready,
  );
}

/** How a server was lost. Times are milliseconds since the loss. */
export interface Loss {
  lost: Machine;
  successor: Machine;
  /** When the successor may be launched at the earliest. */
  noticed: number;
  /** When the lost one has ended for good. */
  fenced: number;
  /** Any moment at which etcd's leader looks at learners. */
  tick: number;
}

/** In the order of safety rule 4: successor booted, lost server ended, member removed, successor joined. */
export function replacement(setting: Setting, { lost, successor, noticed, fenced, tick }: Loss): Bound {
  const { draw } = setting;
  const ready = Math.max(prepared(setting, successor, noticed), fenced);
  const voters = joined(draw, successor, ready + draw('k3s.remove-member', lost.instanceId), tick);
  return { voters, serving: Math.max(voters, receiving(setting, successor, noticed)) };
}

function orders<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
