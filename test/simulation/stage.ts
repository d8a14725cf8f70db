/** What everything in a simulation shares: the cluster, what is true of it, and what was seen to go wrong. */
import type { Instance } from '../../local/aws/ec2';
import { call } from '../support/call';
import type { TestCluster, Workflow } from '../support/embedded';
import type { Journal } from './journal';
import { Truth } from './truth';

/** A rule that was broken. */
export interface Violation {
  /** The rule in words, with its number in docs/reliability.md where it has one. */
  invariant: string;
  /** What was seen. */
  what: string;
  /** Hours, minutes and seconds since the life began. */
  time: string;
}

/** Where a function's sandbox ends: at this many calls of AWS from now, before or after AWS has heard of it. */
export interface Doom {
  calls: number;
  heard: boolean;
}

export class Stage {
  readonly truth: Truth;
  readonly violations: Violation[] = [];
  /** Set while something is done to the cluster that is nobody's action. */
  injecting = false;
  doom: Doom | undefined;
  /** People were told of something since everything was last said to be well. */
  told = false;
  /** When people were last told that all is well, epoch ms. */
  wellAt = 0;
  /** How often people got each message since then. */
  readonly mails = new Map<string, number>();
  /** When the function that tells people has failed since then or just before, epoch ms: Lambda calls it again. */
  failedToTell: number[] = [];
  /** Since when nothing goes wrong; undefined while something may. */
  calmSince: number | undefined;
  /** Executions that did not end well when people had been told of nothing, and when. */
  untold: { name: string; at: number }[] = [];
  /** Machines that were told to begin a cluster. */
  readonly initialisers = new Set<string>();
  /** Of which services replies are lost for now; `*` is all of them. */
  readonly repliesLost = new Set<{ service: string }>();
  private goingOn: { what: string; end: () => void }[] = [];

  constructor(
    readonly cluster: TestCluster,
    readonly journal: Journal,
  ) {
    this.truth = new Truth(cluster);
  }

  get aws() {
    return this.cluster.aws;
  }

  violate(invariant: string, what: string): void {
    const { time } = this.journal;
    this.journal.note('BROKEN', `${invariant}: ${what}`);
    this.violations.push({ invariant, what, time });
  }

  /** Does something that is no action of the product. */
  inject(act: () => void): void {
    this.injecting = true;
    try {
      act();
    } finally {
      this.injecting = false;
    }
  }

  /** Something goes on until the storm is over. */
  until(what: string, end: () => void): void {
    this.goingOn.push({ what, end });
  }

  /** Whether it goes on already. */
  goesOn(what: string): boolean {
    return this.goingOn.some((other) => other.what === what);
  }

  /** The storm is over: whatever can end ends. */
  endAll(): void {
    for (const { end } of this.goingOn) this.inject(end);
    this.goingOn = [];
  }

  /** A person starts an execution in the console. */
  start(workflow: Workflow): void {
    const { StateMachineArn = '', DeleteStateMachineArn = '' } = this.aws.stack.outputs;
    const { states } = this.aws.services;
    if (workflow === 'cluster') states.start(StateMachineArn, '{}');
    else states.start(DeleteStateMachineArn, JSON.stringify({ confirm: 'demo' }));
  }

  get running() {
    return this.aws.services.states.listExecutions().filter(({ status }) => status === 'RUNNING');
  }

  /** A person sets `paused` in the console's table editor, if there is a cluster. */
  async pause(paused: boolean): Promise<void> {
    const { world, services } = this.aws;
    if (this.truth.wanted.incarnation === '') return;
    await call(world, services.dynamodb, 'UpdateItem', {
      TableName: this.cluster.table,
      Key: { id: { S: 'cluster' } },
      UpdateExpression: 'SET paused = :paused',
      ExpressionAttributeValues: { ':paused': { BOOL: paused } },
    });
    this.truth.recordChanged();
  }

  /** A person starts what is stopped and reboots what hangs. */
  async powerCycle({ instanceId, state }: Instance): Promise<void> {
    const { world, services } = this.aws;
    const operation = state === 'stopped' ? 'StartInstances' : 'RebootInstances';
    await call(world, services.ec2, operation, { InstanceId: [instanceId] });
  }

  /** `server-1 (i-0123456789abcdef0)` */
  label(instanceId: string): string {
    const slot = this.truth.slotOf(instanceId);
    return slot === undefined ? instanceId : `server-${slot} (${instanceId})`;
  }
}
