import { replacementsThatBegin } from '../../functions/assess-cluster/beginnings';
import { mayRemove } from '../../functions/cluster/quorum';
import { isGone, summarise } from '../../functions/cluster/readiness';
import { nextSuspicions } from '../../functions/cluster/suspicion';
import type { Healing } from '../../functions/cluster/triage';
import { assess } from '../../functions/cluster/verdict';
import type { ClusterEvent } from '../../functions/events';
import { Input as PublishInput } from '../../functions/publish-event/contract';
import { convergedEvents } from '../../functions/publish-event/converged';
import { failedEvents } from '../../functions/publish-event/failed';
import type { Json } from '../../local/states-language';
import { CA_HASH, id, POLICY, VERSION, type World } from '../functions/cluster/world';
import { type Answer, lambdaError, type Ran, Workflows } from './workflow';

type Payload = Record<string, Json>;

/** The functions over a world in memory, with the real domain deciding: what the workflow asks for really happens. */
export class Cloud {
  readonly workflows: Workflows;
  readonly answers: Record<string, Answer>;
  /** In the order in which it happened: `launch 0`, `init 0`, `join 1`, `terminate 1`, `remove 1`, `apply` … */
  readonly deeds: string[] = [];
  holder: string | null = null;
  /** What was published. */
  readonly told: ClusterEvent[] = [];
  /** What the healer remembers. */
  readonly healing: Healing = { attempt: null, refusal: null, announced: null };
  private commands = new Map<string, { script: string; instanceId: string; parameters: Record<string, string> }>();

  constructor(readonly world: World) {
    this.answers = this.functions();
    this.workflows = new Workflows(this.answers);
  }

  run(name: 'cluster' | 'delete-cluster', input: Json = {}): Promise<Ran> {
    return this.workflows.run(name, input);
  }

  /** Fails these many calls of a function first, then answers as before. */
  fail(fn: string, error: string, message: string, times = 1, when: (payload: Payload) => boolean = () => true): this {
    const usual = this.answers[fn]!;
    let left = times;
    this.answers[fn] = (payload) => {
      if (left > 0 && when(payload)) {
        left--;
        throw lambdaError(error, message);
      }
      return usual(payload);
    };
    return this;
  }

  /** Scripts of this kind fail when they are asked after. */
  failScript(script: string, error: string, message: string, times = Number.POSITIVE_INFINITY): this {
    return this.fail('CheckCommand', error, message, times, (payload) => payload.script === script);
  }

  get launches(): number {
    return this.deeds.filter((deed) => deed.startsWith('launch')).length;
  }

  private now(): number {
    return this.workflows.clock.now();
  }

  private place(instanceId: Json | undefined): { slot: number; generation: number } {
    const instance = this.world.observation.instances.find((candidate) => candidate.instanceId === instanceId);
    if (!instance) throw new Error(`the cloud has no ${String(instanceId)}`);
    return instance;
  }

  private functions(): Record<string, Answer> {
    const { world } = this;
    const { observation } = world;
    return {
      AcquireLease: ({ execution }): Json => {
        if (this.holder !== null) {
          return { status: 'held', holder: this.holder, message: `${this.holder} is at work` };
        }
        this.holder = (execution as { id: string }).id;
        return { status: 'acquired', reason: 'started by a person', origin: 'person' };
      },
      ReleaseLease: () => {
        this.holder = null;
        return { released: true };
      },
      AssessCluster: ({ manifests, applied }) => {
        observation.at = this.now();
        if (typeof applied === 'string') observation.cluster.appliedManifests = applied;
        const verdict = assess(observation, { ...POLICY, manifests: String(manifests) });
        for (const { slot, suspicion } of nextSuspicions(observation)) {
          const record = observation.slots[slot];
          if (record) record.suspicion = suspicion;
        }
        for (const { slot, ...replacing } of replacementsThatBegin(observation, verdict, null)) {
          const record = observation.slots[slot];
          if (record) record.replacing = replacing;
        }
        const { action, reason, recheckAfterSeconds, plan, concern } = verdict;
        return JSON.parse(
          JSON.stringify({
            verdict: action === 'none' ? 'converged' : action,
            reason,
            recheckAfterSeconds,
            plan,
            concern,
            servers: summarise(observation),
          }),
        );
      },
      LaunchServer: ({ slot }) => {
        const generation = (observation.slots[Number(slot)]?.generation ?? 0) + 1;
        world.boot(Number(slot), generation, { launchedAt: this.now() });
        this.deeds.push(`launch ${slot}`);
        return { slot: Number(slot), instanceId: id(Number(slot), generation), generation, instanceType: 't3.medium' };
      },
      CheckServer: ({ instanceId, until }) => {
        const { slot, generation } = this.place(instanceId);
        const { availabilityZone, privateIp } = world.instance(slot, generation);
        return { instanceId: String(instanceId), state: until as 'running', availabilityZone, privateIp };
      },
      BeginInit: ({ candidates }) => {
        const [instanceId] = candidates as string[];
        observation.cluster.phase = { name: 'initialising', instanceId: String(instanceId) };
        return { instanceId: String(instanceId) };
      },
      CompleteInit: ({ caHash }) => {
        observation.cluster.phase = { name: 'initialised', caHash: String(caHash) };
        observation.cluster.k3sVersion = VERSION;
        return {};
      },
      SendCommand: ({ instanceId, script, parameters }) => {
        const commandId = `command-${this.commands.size}`;
        this.commands.set(commandId, {
          script: String(script),
          instanceId: String(instanceId),
          parameters: parameters as Record<string, string>,
        });
        return { commandId, instanceId: String(instanceId), script: String(script) };
      },
      CheckCommand: ({ commandId, script, instanceId }) => {
        const command = this.commands.get(String(commandId));
        if (!command || command.script !== script || command.instanceId !== instanceId) {
          throw new Error(`${String(commandId)} is not ${String(script)} on ${String(instanceId)}`);
        }
        return this.perform(command.script, command.instanceId, command.parameters);
      },
      RegisterTargets: ({ instanceId }) => {
        const { slot, generation } = this.place(instanceId);
        world.serve(slot, generation);
        return { instanceId: String(instanceId), targetGroups: 3 };
      },
      DeregisterTargets: ({ instanceId }) => {
        const { slot, generation } = this.place(instanceId);
        world.instance(slot, generation).targets = { http: 'draining', https: 'draining', api: 'draining' };
        this.deeds.push(`deregister ${slot}`);
        return { instanceId: String(instanceId), targetGroups: 3 };
      },
      CheckTargets: () => ({ healthy: { http: world.servers, https: world.servers, api: world.servers } }),
      TerminateServer: ({ instanceId, purpose }) => {
        observation.at = this.now();
        const { slot, generation } = this.place(instanceId);
        const permission = mayRemove(observation, String(instanceId));
        if (purpose === 'retire' && !permission.allowed) throw lambdaError('RetirementRefused', permission.reason);
        if (!isGone(world.instance(slot, generation))) world.terminate(slot, generation);
        this.deeds.push(`terminate ${slot}`);
        return { instanceId: String(instanceId) };
      },
      ForgetServer: ({ instanceId }) => {
        const { slot, generation } = this.place(instanceId);
        world.vanish(slot, generation);
        this.deeds.push(`forget ${slot}`);
        return {};
      },
      PublishEvent: (payload) => {
        const { execution, outcome } = PublishInput.parse(payload);
        const { cluster, slots } = observation;
        const teller = { cluster: 'demo', execution: execution.id, paused: cluster.paused, at: this.now() };
        const memory = { cluster, slots, healing: this.healing };
        const events =
          outcome.status === 'failed' ? failedEvents(outcome, teller) : convergedEvents(outcome, memory, teller);
        this.told.push(...events);
        return { published: events.map(({ detailType }) => detailType) };
      },
      MarkAbsent: () => {
        observation.cluster.desired = 'absent';
        return {};
      },
      ListServers: () => ({
        servers: observation.instances.map(({ slot, instanceId }) => ({ slot, instanceId })),
      }),
      CompleteDeletion: () => {
        observation.cluster.phase = { name: 'uninitialised' };
        return { deleted: true };
      },
    };
  }

  private perform(script: string, instanceId: string, parameters: Record<string, string>): Json {
    const { world } = this;
    if (script === 'ApplyManifests') {
      this.deeds.push('apply');
      return { applied: 12, pruned: 0 };
    }
    if (script === 'RemoveMember') {
      const { slot, generation } = this.place(parameters.nodeName);
      world.forgetIn(slot, { node: true, member: true }, generation);
      this.deeds.push(`remove ${slot}`);
      return { removed: true };
    }
    const { slot, generation } = this.place(instanceId);
    if (!world.node(slot, generation)) world.join(slot, generation);
    this.deeds.push(`${parameters.mode} ${slot}`);
    return { ready: true, voter: true, caHash: CA_HASH, k3sVersion: VERSION };
  }
}
