/**
 * How long AWS, the network and K3s take: the one profile of delays, in milliseconds of AWS time. Each entry names its
 * source and date; figures without a published source say so. Distribution: log-normal through the median and the 95th
 * percentile, because such delays are positive and have a long right tail.
 */
import type { Random } from './random';

interface Delay {
  /** Median, ms. */
  p50: number;
  /** 95th percentile, ms. */
  p95: number;
  source: string;
}

export const PROFILE = {
  'ec2.run-instances': {
    p50: 1500,
    p95: 4800,
    source: 'RunInstances call up to 4.8 s on AL2023 m7i.large (daemonology.net, EC2 boot time benchmarking, 2024)',
  },
  'ec2.pending-to-running': {
    p50: 12000,
    p95: 17800,
    source: 'pending to running 17.8 s on AL2023 m7i.large (daemonology.net, 2024); smaller types are somewhat faster',
  },
  'ec2.boot': { p50: 3200, p95: 6000, source: 'kernel to SSH 3.2 s on AL2023 (daemonology.net, 2024)' },
  'ec2.shutting-down': {
    p50: 25000,
    p95: 60000,
    source: 'no published figure; a graceful OS shutdown within a minute, seen widely',
  },
  'api.call': {
    p50: 45,
    p95: 180,
    source: 'in-region control-plane calls, tens of milliseconds; no published figure',
  },
  'lambda.cold-start': {
    p50: 350,
    p95: 900,
    source: 'Node.js cold starts of small bundles, AWS Compute Blog 2023-2025',
  },
  'lambda.invoke': { p50: 15, p95: 60, source: 'warm invocation overhead; no published figure' },
  'states.transition': { p50: 25, p95: 80, source: 'Standard workflow transition, tens of milliseconds; unpublished' },
  'events.delivery': { p50: 500, p95: 3000, source: 'EventBridge P99 end-to-end latency under 3 s (AWS, 2023)' },
  'ec2.state-change-event': {
    p50: 1000,
    p95: 5000,
    source: 'EC2 state-change events arrive within seconds (EC2 docs)',
  },
  'ssm.agent-online': {
    p50: 18000,
    p95: 45000,
    source: 'agent registration after kernel boot: 30 s to minutes after launch (facts-aws.md in short; AWS re:Post)',
  },
  'ssm.delivery': {
    p50: 700,
    p95: 2500,
    source: 'Run Command start within seconds over the message gateway; unpublished',
  },
  'ssm.completion': { p50: 400, p95: 1500, source: 'result visible after the script ended; unpublished' },
  'elb.register': {
    p50: 110000,
    p95: 170000,
    source:
      'new NLB instance target takes 90-180 s to receive checks and traffic (AWS re:Post, issue reports 2021-2024)',
  },
  'elb.deregister': { p50: 120000, p95: 150000, source: 'NLB deregistration propagates in about 120 s (AWS re:Post)' },
  'net.hop': { p50: 1, p95: 3, source: 'between availability zones of one region: single-digit milliseconds (AWS)' },
  'download.k3s': { p50: 4000, p95: 9000, source: '70 MB from GitHub releases to EC2; no published figure' },
  'k3s.start-first': {
    p50: 30000,
    p95: 44000,
    source: 'first server Ready after 42-44 s on two slow cores (measured 2026-11-22, v1.21.2)',
  },
  'k3s.join': {
    p50: 26000,
    p95: 40000,
    source: 'serial join Ready after 43-60 s on two slow cores (measured 2026-11-22)',
  },
  'k3s.restart': { p50: 8000, p95: 14000, source: 'Ready 8 s after a restart (measured 2026-11-22)' },
  'k3s.kubectl': { p50: 150, p95: 500, source: 'kubectl against a local API server; measured on small nodes' },
  'k3s.remove-member': { p50: 1000, p95: 3000, source: 'member gone after 1 s (measured 2026-11-22)' },
  'k3s.node-ready-after-join': { p50: 3000, p95: 8000, source: 'kubelet registration and CNI; part of 43-60 s' },
  'k3s.election': {
    p50: 6500,
    p95: 9500,
    source: 'K3s sets etcd election timeout 5 s (k3s pkg/etcd/etcd.go); raft draws between one and two timeouts',
  },
  'k3s.learner-catch-up': {
    p50: 2000,
    p95: 6000,
    source: 'a learner receives a snapshot of some megabytes; no published figure, part of 43-60 s per join',
  },
  'k3s.helm-install': {
    p50: 15000,
    p95: 30000,
    source: 'helm-install jobs of the packaged charts on a new cluster; no published figure',
  },
  'codebuild.provision': {
    p50: 22000,
    p95: 45000,
    source: 'a container of on-demand capacity: tens of seconds in PROVISIONING; no published figure',
  },
  'codebuild.build': {
    p50: 15000,
    p95: 30000,
    source: 'base image, one small package, push; no published figure',
  },
  'acme.request': {
    p50: 1500,
    p95: 6000,
    source: "one step with Let's Encrypt: register, order, validate or finalise; seconds, no published figure",
  },
  'image.pull': { p50: 5000, p95: 12000, source: 'tens of MB from a public registry to EC2; no published figure' },
  'pod.start': { p50: 1500, p95: 4000, source: 'container start plus first readiness probe; no published figure' },
} as const satisfies Record<string, Delay>;

export type LatencyName = keyof typeof PROFILE;

/** z of the 95th percentile of the standard normal distribution. */
const Z95 = 1.6448536269514722;

/**
 * Every delay has a stream of its own, by its name and by whose delay it is: the second boot of one machine takes as long
 * whatever else has happened. So two ways to build the same cluster meet the same AWS, and what a lower bound is made of
 * can be looked up without taking it from anybody.
 */
export class Latency {
  /** How many draws each stream has given. */
  private readonly drawn = new Map<string, number>();

  constructor(
    /** Only forked, never drawn from. */
    private readonly random: Random,
    /** Multiplies single delays, for faults (`slow`). */
    private readonly factor: (name: LatencyName, service?: string) => number = () => 1,
  ) {}

  /**
   * The next draw, ms of AWS time.
   * @param whose the machine, target or subnet that is waited for; empty: nobody's in particular
   * @param service whose call it is part of, if of one
   */
  sample(name: LatencyName, whose = '', service?: string): number {
    const stream = `${name} ${whose}`;
    const nth = this.drawn.get(stream) ?? 0;
    this.drawn.set(stream, nth + 1);
    return this.draw(name, whose, nth) * this.factor(name, service);
  }

  /** The nth draw of a stream, from 0, ms, before faults; takes nothing from it. */
  draw(name: LatencyName, whose = '', nth = 0): number {
    const { p50, p95 } = PROFILE[name];
    const sigma = Math.log(p95 / p50) / Z95;
    return p50 * Math.exp(sigma * normal(this.random.fork(`${name} ${whose} ${nth}`)));
  }
}

/** Box-Muller, cut at three standard deviations: a modelled delay has no unbounded tail. */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  const value = radius * Math.cos(2 * Math.PI * random.next());
  return Math.max(-3, Math.min(3, value));
}
