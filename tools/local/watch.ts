/** Shows a running cluster live: events, decisions, executions, alerts and what they mean for traffic. */
import type { EmbeddedAws } from '../../local/embedded';
import { withNote } from '../text';
import { act } from './actions';
import { Board } from './board';
import { isOver, isTrouble, leavesTraffic } from './incident';
import { KEY_HELP, type Key, listenToKeys } from './keys';
import {
  executionOf,
  type Health,
  healthOf,
  type Line,
  narrateEvent,
  narrateExecution,
  narrateMail,
  narrateStage,
  narrateTargets,
} from './narration';
import { Progress } from './progress';
import { Tally, timeOfDay, trafficDuring, trafficNow } from './tally';
import { sendTraffic, type Visit } from './traffic';

/** How often the load balancer is looked at, real ms: it tells nobody when a target's health changes. */
const LOOK_MS = 100;

/** Trouble that nobody repaired, and so nobody calls over, is over after this time without any, AWS ms. */
const CALM_MS = 120_000;

const isRunning = ({ status }: { status: string }) => status === 'RUNNING';

/** Under the text of a line, behind its time. */
const INDENT = ' '.repeat(10);

export interface WatchOptions {
  aws: EmbeddedAws;
  /** How many the cluster is to have. */
  servers: number;
  /** How the traffic asks. */
  visit: Visit;
  stack: string;
  output: NodeJS.WriteStream;
  input: NodeJS.ReadStream;
}

/** Watches until `q` is pressed; without a terminal until `stop` is called. */
export class Watch {
  /** Resolves when a person has had enough. */
  readonly quit: Promise<void>;
  private readonly closers: (() => void)[] = [];
  private readonly board: Board;
  /** When the load balancer stopped to send new connections to a target, epoch ms; null: it did not, or all is well. */
  private takenOutAt: number | null = null;
  private readonly tally = new Tally();
  /** When something was amiss last, epoch ms. */
  private uneasyAt = 0;
  /** Executions that have said for themselves what they came to. */
  private readonly told = new Set<string>();
  private readonly names = new Map<string, string>();
  /** Of all target groups; of those that the requests go through. */
  private health: Map<string, Health>;
  private receiving: Map<string, Health>;
  private said = '';
  private end: () => void = () => {};

  constructor(private readonly options: WatchOptions) {
    const { aws, input, output } = options;
    this.quit = new Promise((resolve) => {
      this.end = resolve;
    });
    this.board = new Board(output);
    this.health = this.healthNow();
    this.receiving = this.healthNow('-http');
    const url = aws.services.elbv2.urls().get(80);
    if (!url) throw new Error('the load balancer has no listener on port 80');
    const looking = setInterval(() => this.look(), LOOK_MS);
    this.closers.push(
      () => clearInterval(looking),
      sendTraffic(url, options.visit, () => this.now, this.tally),
      this.subscribe(),
      this.followExecutions(),
      aws.services.sns.onMail((mail) => this.say(narrateMail(mail))),
    );
    if (input.isTTY && output.isTTY) {
      this.closers.push(listenToKeys(input, (key) => this.press(key)));
    }
    this.look();
  }

  stop(): void {
    for (const close of this.closers.splice(0)) close();
    this.board.close();
  }

  private get now(): number {
    return this.options.aws.world.clock.now();
  }

  private subscribe(): () => void {
    const { events } = this.options.aws.services;
    return events.onEvent((event) => {
      const line = narrateEvent(event, (id) => this.nameOf(id));
      const execution = executionOf(event);
      if (execution !== null) this.told.add(execution);
      if (line) this.say(line);
      if (isTrouble(event)) this.trouble();
      if (isOver(event)) this.allIsWell();
    });
  }

  private trouble(): void {
    this.tally.begin();
    this.uneasyAt = this.now;
  }

  /** Tells what the trouble meant for traffic, if there was any. */
  private allIsWell(): void {
    if (this.tally.began) this.say({ text: trafficDuring(this.tally, this.takenOutAt) });
    this.takenOutAt = null;
    this.tally.reset();
  }

  private followExecutions(): () => void {
    const { states } = this.options.aws.services;
    const progress = new Map<string, Progress>();
    const status = states.onStatus((execution) => {
      this.say(narrateExecution(execution, this.told.has(execution.arn)));
      if (execution.status === 'RUNNING') return;
      progress.delete(execution.arn);
      this.told.delete(execution.arn);
    });
    const history = states.onHistory(({ arn }, event) => {
      const followed = progress.get(arn) ?? new Progress();
      progress.set(arn, followed);
      for (const row of followed.take(event)) {
        const line = narrateStage(row);
        if (line) this.say(line);
      }
    });
    return () => {
      status();
      history();
    };
  }

  /** What the load balancer has changed since the last look, and the line at the bottom. */
  private look(): void {
    const receiving = this.healthNow('-http');
    if (leavesTraffic(this.receiving, receiving)) {
      this.trouble();
      this.takenOutAt ??= this.now;
    }
    this.receiving = receiving;
    const before = this.health;
    const after = this.healthNow();
    this.health = after;
    for (const line of narrateTargets(before, after, (id) => this.nameOf(id))) this.say(line);
    if (this.isUneasy()) this.uneasyAt = this.now;
    else if (this.tally.began && this.now - this.uneasyAt > CALM_MS) this.allIsWell();
    this.board.show(`${timeOfDay(this.now)}  ${this.trafficNow()}   ${KEY_HELP}`);
  }

  /** Prints a line with AWS' time; traffic stands beside it when it has changed and there is room. */
  private say({ text, note }: Line): void {
    const traffic = this.trafficNow();
    const changed = traffic !== this.said;
    if (note === undefined && changed) this.said = traffic;
    const beside = note ?? (changed ? traffic : undefined);
    const oneLine = text.trim().replaceAll(/\s*\n\s*/g, ' · ');
    this.board.print(withNote(`${timeOfDay(this.now)}  ${oneLine}`, beside, this.board.width, INDENT));
  }

  /** @param ending of the names of the target groups to look at */
  private healthNow(ending = ''): Map<string, Health> {
    const groups = this.options.aws.services.elbv2.targetGroups();
    return healthOf(groups.filter(({ name }) => name.endsWith(ending)));
  }

  private isUneasy(): boolean {
    const { states } = this.options.aws.services;
    const failing = (this.tally.failures.at(-1)?.at ?? 0) > this.uneasyAt;
    return failing || this.healthy < this.options.servers || states.listExecutions().some(isRunning);
  }

  private get healthy(): number {
    return [...this.receiving.values()].filter((health) => health === 'healthy').length;
  }

  private trafficNow(): string {
    return trafficNow(this.healthy, this.options.servers, this.tally);
  }

  /** Tags are gone soon after an instance is terminated: names are kept. */
  private nameOf(instanceId: string): string | null {
    const slot = this.options.aws.services.ec2.instance(instanceId)?.tags.get('k3s:slot');
    if (slot !== undefined) this.names.set(instanceId, `server-${slot}`);
    return this.names.get(instanceId) ?? null;
  }

  private press(key: Key): void {
    const { aws, stack } = this.options;
    act(key, { aws, stack, width: () => this.board.width, quit: this.end }).then(
      (told) => {
        if (told.includes('\n')) this.board.print(told);
        else if (told !== '') this.say({ text: told });
      },
      (error: unknown) => this.board.print(error instanceof Error ? error.message : String(error)),
    );
  }
}
