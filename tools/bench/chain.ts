/** The delays that AWS and K3s impose, link by link. Times are milliseconds on one clock that starts at 0. */
import type { LatencyName } from '../../local/latency';

/** One delay of the run, ms: the nth of its name for this machine, target or subnet. */
export type Draw = (name: LatencyName, whose: string, nth?: number) => number;

/** A machine as the delays know it. */
export interface Machine {
  instanceId: string;
  subnetId: string;
  /** How many were launched in its subnet before. */
  nth: number;
}

/** The leader looks at learners this often from the moment it was elected (k3s pkg/etcd/etcd.go, manageTickerTime). */
const PROMOTION_EVERY = 15_000;

/** Where etcd starts within `k3s.start-first`; what a joiner does before it asks for membership and after it was promoted,
 *  as parts of `k3s.join`; and the start of its own etcd in between (local/k3s/server). */
const FIRST_ETCD = 0.3;
const BEFORE_MEMBER = 0.35;
const AFTER_PROMOTION = 0.3;
const OWN_ETCD = 1000;

/** EC2 says `running`: from here on the load balancer takes the target. */
export function running(draw: Draw, { instanceId, subnetId, nth }: Machine, launch: number): number {
  return launch + draw('ec2.run-instances', subnetId, nth) + draw('ec2.pending-to-running', instanceId);
}

/** The first server is Ready. `tick`: when its etcd elects it, from which on it looks at learners. */
export function started(draw: Draw, { instanceId }: Machine, begin: number): { ready: number; tick: number } {
  const total = draw('k3s.start-first', instanceId);
  return { ready: begin + total, tick: begin + FIRST_ETCD * total };
}

/**
 * A joiner's Node is Ready; K3s waits until it votes before that.
 * @param tick any moment at which the leader looked at learners
 */
export function joined(draw: Draw, { instanceId }: Machine, begin: number, tick: number): number {
  const total = draw('k3s.join', instanceId);
  const caughtUp = begin + BEFORE_MEMBER * total + OWN_ETCD + draw('k3s.learner-catch-up', instanceId);
  const promoted = tick + PROMOTION_EVERY * Math.ceil((caughtUp - tick) / PROMOTION_EVERY);
  return promoted + AFTER_PROMOTION * total + draw('k3s.node-ready-after-join', instanceId);
}

/** The last target group has taken note of the server, which was registered at `from`. */
export function noted(draw: Draw, { instanceId }: Machine, targetGroups: string[], from: number): number {
  return from + Math.max(...targetGroups.map((group) => draw('elb.register', `${instanceId} ${group}`)));
}
