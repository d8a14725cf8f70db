/** Listens to everything that happens, writes it down and has it judged. */
import { z } from 'zod';
import type { EnvironmentSpec, Invocation, InvocationResult } from '../../local/aws/lambda/runtime';
import type { Mail } from '../../local/aws/sns';
import type { Execution } from '../../local/aws/stepfunctions';
import type { ClusterCensus } from '../../local/k3s';
import type { HistoryEvent } from '../../local/states-language';
import { type ObservedCall, stateEntered } from '../support/embedded';
import { judge } from './invariants';
import { shortName } from './journal';
import type { Listener } from './sandboxes';
import type { Stage } from './stage';
import { instanceOf } from './truth';

/** States that a person who reads the log wants to see. */
const TOLD = new Set([
  'LaunchServer',
  'TerminateServer',
  'RemoveMember',
  'StartServerInit',
  'CompleteInit',
  'StartServer',
  'ApplyManifests',
]);

const IDLE_SECONDS = 5;

/** What functions change for an execution, apart from the table. */
const ACTIONS = new Set(['RunInstances', 'TerminateInstances', 'SendCommand', 'RegisterTargets', 'DeregisterTargets']);

/** The script that only looks. */
const LOOK = /-ReportStatus$/;

const isAction = ({ operation, input }: ObservedCall) =>
  ACTIONS.has(operation) && !LOOK.test(field(input, 'DocumentName'));

/** What a step is invoked with, as far as it says for whom. */
const INVOCATION = z.object({ execution: z.object({ id: z.string() }) });

export class Watch implements Listener {
  /** Called at every state that a workflow enters. */
  onState: () => void = () => {};
  private stage: Stage | undefined;
  private seconds = 0;
  /** Executions that run. */
  private atWork = 0;
  /** What each environment of a function is doing, by its access key. */
  private readonly invocations = new Map<string, { execution: string | undefined; calls: ObservedCall[] }>();
  private nodes = new Set<string>();
  private readonly launched = new Set<string>();
  private members = new Map<string, { cluster: ClusterCensus; member: ClusterCensus['members'][number] }>();

  /** Begins when the stack is deployed. */
  begin(stage: Stage): void {
    this.stage = stage;
    const { aws, cluster, journal, truth } = stage;
    const { ec2, states, sns } = aws.services;
    ec2.onState((instanceId, state) => {
      journal.note('ec2', `${stage.label(instanceId)} is ${state}`);
      const instance = truth.instance(instanceId);
      if (!instance) return;
      // One that is started again was launched before.
      if (state === 'pending' && !this.launched.has(instanceId)) {
        this.launched.add(instanceId);
        truth.noteLaunch(instance);
        judge('launch', instance, stage);
      }
      if (state === 'shutting-down' && !stage.injecting) judge('termination', instance, stage);
    });
    states.onHistory((execution, event) => this.history(execution, event, stage));
    states.onStatus((execution) => this.status(execution, stage));
    sns.onMail((mail) => {
      journal.note('mail', mail.subject ?? mail.message.slice(0, 100));
      journal.count('decisions', `mail: ${kindOf(mail)}`);
      judge('mail', mail, stage);
    });
    cluster.clock.every(1000, () => this.second(stage));
  }

  calls(): boolean {
    const doom = this.stage?.doom;
    if (!doom) return false;
    if (--doom.calls > 0) return false;
    return doom.heard ? false : this.kill();
  }

  answered(): boolean {
    const doom = this.stage?.doom;
    return doom?.heard === true && doom.calls <= 0 ? this.kill() : false;
  }

  began({ variables }: EnvironmentSpec, { payload }: Invocation): void {
    const parsed = INVOCATION.safeParse(JSON.parse(payload));
    const execution = parsed.success ? parsed.data.execution.id : undefined;
    this.invocations.set(variables.AWS_ACCESS_KEY_ID ?? '', { execution, calls: [] });
  }

  ended({ functionName, variables }: EnvironmentSpec, _invocation: Invocation, result: InvocationResult): void {
    const { stage } = this;
    if (!stage) return;
    const step = functionName.slice(`k3s-${variables.CLUSTER}-`.length);
    if (!result.ok) {
      if (step === 'notify') stage.failedToTell.push(stage.truth.now);
      stage.journal.count('decisions', `error: ${result.error.errorType}`);
      if (result.error.errorType === 'Runtime.ExitError') stage.journal.note('fault', `${step} was killed`);
      return;
    }
    const output: unknown = JSON.parse(result.payload);
    if (step === 'assess-cluster') this.decided('verdict', field(output, 'verdict'), field(output, 'reason'), stage);
    if (step === 'handle-node-event' && field(output, 'decision') !== 'none')
      this.decided('healer', field(output, 'decision'), field(output, 'reason'), stage);
  }

  observed(call: ObservedCall): void {
    const { stage } = this;
    if (!stage) return;
    if (call.service === 'dynamodb' && call.operation === 'UpdateItem') stage.truth.recordChanged();
    judge('call', call, stage);
    const invocation = this.invocations.get(call.accessKeyId);
    if (!invocation) return;
    const { execution, calls } = invocation;
    if (execution !== undefined && call.error === undefined && isAction(call)) {
      judge('action', { call, execution, before: calls }, stage);
    }
    calls.push(call);
  }

  private decided(who: 'verdict' | 'healer', what: string, reason: string, { journal }: Stage): void {
    journal.count('decisions', `${who}: ${what}`);
    journal.note(who, `${what}: ${reason}`);
  }

  private kill(): true {
    if (this.stage) this.stage.doom = undefined;
    return true;
  }

  private history({ name }: Execution, event: HistoryEvent, { journal }: Stage): void {
    const state = stateEntered(event);
    if (state === undefined) return;
    if (TOLD.has(state)) journal.note('workflow', `${shortName(name)}: ${state}${serverOf(event)}`);
    this.onState();
  }

  private status(execution: Execution, stage: Stage): void {
    const { name, status, error, cause, startedAt } = execution;
    const why = error === undefined ? '' : ` ${error}: ${cause}`;
    stage.journal.note('workflow', `${shortName(name)} ${status}${why}`);
    this.atWork += status === 'RUNNING' ? 1 : -1;
    if (status === 'RUNNING') {
      judge('start', execution, stage);
      return;
    }
    stage.journal.count('decisions', `execution: ${status}`);
    // What has gone on since before all was well is part of what people were told of then.
    if (status !== 'SUCCEEDED' && !stage.told && startedAt > stage.wellAt)
      stage.untold.push({ name, at: stage.truth.now });
    judge('end', execution, stage);
  }

  /** While nobody is at work the truth is looked at less often: nothing is judged by it then. */
  private second(stage: Stage): void {
    const idle = ++this.seconds % IDLE_SECONDS !== 0 && this.atWork === 0;
    if (idle) return;
    stage.truth.look();
    this.compareMembers(stage);
    this.compareNodes(stage);
    judge('second', null, stage);
  }

  private compareNodes(stage: Stage): void {
    const { voting } = stage.truth;
    if (!voting) return;
    const now = new Set(voting.nodes);
    for (const name of this.nodes) if (!now.has(name)) judge('forgotten', name, stage);
    this.nodes = now;
  }

  private compareMembers(stage: Stage): void {
    const { truth, journal } = stage;
    const now: typeof this.members = new Map();
    for (const cluster of truth.clusters) {
      for (const member of cluster.members) {
        const before = this.members.get(member.id)?.member;
        now.set(member.id, { cluster, member });
        const name = stage.label(instanceOf(member) ?? instanceAt(member.address, stage) ?? member.address);
        if (!before) journal.note('etcd', `${name} is a ${member.learner ? 'learner' : 'voter'}`);
        else if (before.learner && !member.learner) journal.note('etcd', `${name} is a voter`);
      }
    }
    for (const [id, { cluster, member }] of this.members) {
      if (now.has(id)) continue;
      const still = truth.clusters.find(({ uuid }) => uuid === cluster.uuid);
      // A cluster of which no member runs any more has lost none.
      if (!still) continue;
      journal.note('etcd', `${stage.label(instanceOf(member) ?? member.address)} is no member any more`);
      judge('removal', { member, cluster: still }, stage);
    }
    this.members = now;
  }
}

/** The living instance of an address: a learner is named when its etcd has started. */
const instanceAt = (address: string, { truth }: Stage) =>
  truth.living.find(({ privateIp }) => privateIp === address)?.instanceId;

/** The server that a state is about, where its input names a slot. */
function serverOf({ details }: HistoryEvent): string {
  const slot = /"slot":(\d)/.exec(String(Object.values(details)[0]?.input))?.[1];
  return slot === undefined ? '' : ` server-${slot}`;
}

function field(value: unknown, name: string): string {
  const found = typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
  return typeof found === 'string' ? found : '';
}

/** A subject without the names in it; Lambda's record of a function that could not tell people has none. */
const kindOf = ({ subject = 'the record of an invocation that failed' }: Mail) =>
  subject
    .replace(/^\[\w+\] /, '')
    .replace(/\b(repair|server)-[\w-]+/g, '$1')
    .replace(/\b[0-9a-f]{8}-[\w-]+/g, 'N')
    .replace(/\b\d+\b/g, 'N');
