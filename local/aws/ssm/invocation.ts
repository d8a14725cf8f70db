/** One command on one instance: its states, its limits in time, and its way to the agent and back. */
import type { RunResult } from '../../machine';
import { AwsError, type World } from '../service';
import type { Agent } from './agent';
import { type Document, environment, render, type Step } from './document';

/** How often delivery to an unreachable agent, or its report, is tried again. */
const RETRY_MS = 5000;
/** An invocation is not visible to readers right after SendCommand. Source: re:Post and SDK issues; unpublished, ms. */
const VISIBLE_AFTER_MS = 500;
/** Characters kept by the agent, and what it ends cut output with. Source: amazon-ssm-agent, agent/appconfig. */
const MAX_STDOUT = 24_000;
const MAX_STDERR = 8000;
const CUT = '\n---Output truncated---';
/** The exit code of a killed script: the agent takes it for a timeout, whoever killed it. Source: pluginutil.GetStatus. */
const KILLED = 137;
const REBOOT = 194;

export type InvocationStatus =
  | 'Pending'
  | 'InProgress'
  | 'Delayed'
  | 'Success'
  | 'Cancelled'
  | 'Cancelling'
  | 'TimedOut'
  | 'Failed';

export interface StepResult {
  name: string;
  status: InvocationStatus;
  statusDetails: string;
  /** -1 until it has finished. */
  responseCode: number;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
  stdout: string;
  stderr: string;
}

export interface Order {
  commandId: string;
  document: Document;
  documentVersion: string;
  values: Record<string, string>;
  comment: string;
  requestedAt: number;
  /** How long the command may wait for its agent, seconds. */
  deliveryTimeoutSeconds: number;
}

export class Invocation {
  status: InvocationStatus = 'Pending';
  statusDetails = 'Pending';
  readonly steps: StepResult[];
  private readonly cancellation = new AbortController();
  private readonly finished = new AbortController();

  constructor(
    readonly order: Order,
    readonly agent: Agent,
    private readonly world: World,
    private readonly changed: (invocation: Invocation) => void,
  ) {
    this.steps = order.document.steps.map(({ name }) => ({
      name,
      status: 'Pending',
      statusDetails: 'Pending',
      responseCode: -1,
      startedAt: undefined,
      finishedAt: undefined,
      stdout: '',
      stderr: '',
    }));
  }

  get instanceId(): string {
    return this.agent.instanceId;
  }

  get isFinal(): boolean {
    return this.finished.signal.aborted;
  }

  get isVisible(): boolean {
    return this.world.clock.now() >= this.order.requestedAt + VISIBLE_AFTER_MS;
  }

  /** Carries the command to the agent and its result back. Settles when the invocation is final. */
  async run(): Promise<void> {
    const { clock } = this.world;
    const { document, deliveryTimeoutSeconds } = this.order;
    const executionSeconds = document.steps.reduce((sum, { timeoutSeconds }) => sum + timeoutSeconds, 0);
    // The total timeout is what ends a command whose agent never answers. Source: SSM user guide, "Understanding command
    // statuses": delivery timeout plus execution timeout.
    const limit = clock.after((deliveryTimeoutSeconds + executionSeconds) * 1000, () => this.giveUp());
    try {
      if (await this.deliver()) await this.agent.work(() => this.execute());
    } catch (error) {
      // Whatever ended the script with its machine: nobody is left to report, so the total timeout decides.
      this.world.log('command lost with its machine', { ...this.label, error: String(error) });
    }
    await until(this.finished.signal);
    limit.cancel();
  }

  /** Ends a command that was not delivered; asks the agent to kill a script that runs. */
  cancel(): void {
    if (this.isFinal || this.status === 'Cancelling') return;
    const delivered = this.status === 'InProgress';
    this.cancellation.abort(new Error('the command was cancelled'));
    if (delivered) this.become('Cancelling', 'Cancelling');
    else this.finish('Cancelled', 'Cancelled');
  }

  private async deliver(): Promise<boolean> {
    const { clock, latency } = this.world;
    const deadline = this.order.requestedAt + this.order.deliveryTimeoutSeconds * 1000;
    await clock.sleep(latency.sample('ssm.delivery', this.instanceId));
    while (!this.isFinal && clock.now() < deadline) {
      if (this.agent.isConnected) {
        this.become('InProgress', 'InProgress');
        return true;
      }
      if (this.status === 'Pending') this.become('Delayed', 'Delayed');
      await clock.sleep(RETRY_MS);
    }
    return false;
  }

  private async execute(): Promise<void> {
    const ended: { result: StepResult; output: RunResult }[] = [];
    for (const [index, step] of this.order.document.steps.entries()) {
      if (this.cancellation.signal.aborted) break;
      const result = this.steps[index]!;
      const output = await this.executeStep(step, result);
      ended.push({ result, output });
      if (step.exitOnFailure && (output.timedOut || output.exitCode !== 0)) break;
    }
    await this.report(() => {
      for (const { result, output } of ended) this.record(result, output);
    });
  }

  private async executeStep(step: Step, result: StepResult): Promise<RunResult> {
    const { document, values } = this.order;
    const { host } = this.agent;
    if (!host) throw new Error(`${this.instanceId} has no agent any more`);
    result.status = 'InProgress';
    result.statusDetails = 'InProgress';
    result.startedAt = new Date(this.world.clock.now());
    const variables = {
      ...environment(document, values),
      AWS_SSM_INSTANCE_ID: this.instanceId,
      AWS_SSM_REGION_NAME: this.world.region,
    };
    const script = render(step, document, values);
    const output = await host.run(script, variables, step.timeoutSeconds, this.cancellation.signal);
    result.finishedAt = new Date(this.world.clock.now());
    return output;
  }

  /** What the steps left becomes visible when the agent has reported it. */
  private async report(record: () => void): Promise<void> {
    const { clock, latency } = this.world;
    await clock.sleep(latency.sample('ssm.completion', this.instanceId));
    while (!this.agent.isConnected && !this.isFinal) await clock.sleep(RETRY_MS);
    if (this.isFinal) return;
    record();
    const worst = this.steps.find(({ status }) => status !== 'Success' && status !== 'Pending');
    const skipped = this.cancellation.signal.aborted && this.steps.some(({ status }) => status === 'Pending');
    if (worst) this.finish(worst.status, worst.statusDetails);
    else if (skipped) this.finish('Cancelled', 'Cancelled');
    else this.finish('Success', 'Success');
  }

  private record(result: StepResult, { exitCode, stdout, stderr, timedOut }: RunResult): void {
    result.responseCode = timedOut ? KILLED : exitCode;
    result.stdout = cut(stdout, MAX_STDOUT);
    const [status, details] = this.outcome(result.responseCode);
    result.status = status;
    result.statusDetails = details;
    // The agent ends the errors of a failed script with its own.
    const failure = status === 'Failed' ? `failed to run commands: exit status ${exitCode}` : '';
    result.stderr = cut(stderr + (exitCode === REBOOT ? NO_REBOOT : '') + failure, MAX_STDERR);
  }

  private outcome(responseCode: number): [InvocationStatus, string] {
    if (this.cancellation.signal.aborted && responseCode !== 0) return ['Cancelled', 'Cancelled'];
    if (responseCode === 0) return ['Success', 'Success'];
    if (responseCode === KILLED) return ['TimedOut', 'ExecutionTimedOut'];
    return ['Failed', 'Failed'];
  }

  private giveUp(): void {
    const started = this.steps.some(({ startedAt }) => startedAt !== undefined);
    this.finish('TimedOut', started ? 'ExecutionTimedOut' : 'DeliveryTimedOut');
  }

  private finish(status: InvocationStatus, details: string): void {
    if (this.isFinal) return;
    for (const step of this.steps) {
      if (step.status !== 'Pending' && step.status !== 'InProgress') continue;
      step.status = status;
      step.statusDetails = details;
    }
    this.finished.abort();
    this.become(status, details);
  }

  private become(status: InvocationStatus, details: string): void {
    this.status = status;
    this.statusDetails = details;
    this.world.log(`command ${details}`, this.label);
    this.changed(this);
  }

  private get label() {
    const { commandId, document } = this.order;
    return { commandId, document: document.name, instanceId: this.instanceId };
  }
}

const NO_REBOOT = `exit ${REBOOT} asks the agent for a reboot, which the embedded AWS does not model\n`;

const cut = (text: string, limit: number) => (text.length <= limit ? text : text.slice(0, limit - CUT.length) + CUT);

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** @throws AwsError InvalidPluginName when a document has several steps and none, or no existing one, is named */
export function stepOf({ steps }: Invocation, name: string | undefined): StepResult {
  const [first] = steps;
  const found = name === undefined ? steps.length === 1 && first : steps.find((step) => step.name === name);
  if (!found) throw new AwsError('InvalidPluginName', `The plugin name ${name ?? '(none)'} is not valid.`);
  return found;
}
