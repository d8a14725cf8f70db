/** When what happened: reads the log and the state of an embedded AWS without touching it. Times are ms since `new`. */
import type { Execution } from '../../local/aws/stepfunctions';
import type { TestCluster } from '../../test/support/embedded';
import { type Kind, phaseNames, phasesOf, stepsOf } from '../phases';

/** Etcd and Nodes are looked at this often: what was seen is at most this much older. */
const LOOK_EVERY = 250;

export class Moments {
  readonly begin: number;
  private readonly firstLine: number;
  private readonly seen = new Map<string, number>();
  private readonly timer;

  constructor(private readonly cluster: TestCluster) {
    this.begin = cluster.clock.now();
    this.firstLine = cluster.lines.length;
    this.timer = cluster.clock.every(LOOK_EVERY, () => this.look());
  }

  stop(): void {
    this.timer.cancel();
  }

  /** EC2 says so of an instance. */
  instance(instanceId: string, state: 'running' | 'terminated'): number {
    return this.logged('instance changed state', { instanceId, state });
  }

  agentOnline(instanceId: string): number {
    return this.logged('SSM agent is online', { instanceId });
  }

  target(target: string, targetGroup: string, state: 'healthy' | 'unhealthy'): number {
    return this.logged('target changed state', { target, targetGroup, state });
  }

  /** A node command of this script began to run there, or succeeded. */
  command(instanceId: string, script: string, status: 'InProgress' | 'Success'): number {
    return this.logged(`command ${status}`, { instanceId, document: documentOf(script) });
  }

  wasTold(instanceId: string, script: string): boolean {
    return this.find('command InProgress', { instanceId, document: documentOf(script) }) !== undefined;
  }

  /** Etcd has it as a voter, its Node is Ready, or is not Ready. */
  server(instanceId: string, what: 'voter' | 'ready' | 'not ready'): number {
    return this.since(this.seen.get(`${instanceId} ${what}`), `${instanceId} never was: ${what}`);
  }

  /** As the workflow saw them. @throws when it skipped one */
  phases({ arn, startedAt, stoppedAt, history }: Execution, kind: Kind): Record<string, number> {
    if (stoppedAt === undefined) throw new Error('the execution has not ended');
    const steps = history.flatMap(({ timestamp, details }) => stepsOf(timestamp, details));
    const phases = phasesOf({ execution: arn, startedAt, stoppedAt, steps }, kind, this.begin);
    const skipped = phaseNames(kind).find((name) => !(name in phases));
    if (skipped !== undefined) throw new Error(`the execution skipped a phase: ${skipped}`);
    return phases;
  }

  private logged(message: string, about: Record<string, string>): number {
    return this.since(this.find(message, about)?.at, `nobody said "${message}" of ${JSON.stringify(about)}`);
  }

  private find(message: string, about: Record<string, string>) {
    const fits = (detail: Record<string, unknown> = {}) =>
      Object.entries(about).every(([key, value]) => detail[key] === value);
    return this.cluster.lines.slice(this.firstLine).find((line) => line.message === message && fits(line.detail));
  }

  private look(): void {
    const now = this.cluster.clock.now();
    const note = (instanceId: string, what: string, is: boolean) => {
      const key = `${instanceId} ${what}`;
      if (is && !this.seen.has(key)) this.seen.set(key, now);
    };
    for (const { instanceId, etcdVoter, ready } of this.cluster.servers) {
      note(instanceId, 'voter', etcdVoter);
      note(instanceId, 'ready', ready);
      note(instanceId, 'not ready', !ready);
    }
  }

  private since(at: number | undefined, otherwise: string): number {
    if (at === undefined) throw new Error(otherwise);
    return at - this.begin;
  }
}

/** The test stack's. */
const documentOf = (script: string) => `k3s-demo-${script}`;
