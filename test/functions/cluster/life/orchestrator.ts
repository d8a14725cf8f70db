/**
 * The workflow and the healer in small: the order of the states is that of statemachine/cluster.asl.json, every decision is
 * the product's. Between two steps anything may happen.
 */
import { incidentOf } from '../../../../functions/cluster/concern';
import { departureOf, isRecent } from '../../../../functions/cluster/departures';
import type { Observation } from '../../../../functions/cluster/observation';
import type { Plan } from '../../../../functions/cluster/planner';
import { mayRemove } from '../../../../functions/cluster/quorum';
import { nextSuspicions } from '../../../../functions/cluster/suspicion';
import { type Healing, triage } from '../../../../functions/cluster/triage';
import { assess, type Verdict } from '../../../../functions/cluster/verdict';
import { CA_HASH, MANIFESTS, POLICY, VERSION } from '../world';
import { onBeginning, onLaunch, onRemoval, onReplacement, onTermination } from './laws';
import { glance, type Memory, observe, type Unseen } from './look';
import { answers, Refused, type Truth } from './truth';

/** How long a step takes before the next, ms. */
type Takes = number;
const ROUNDS = 3;
const WATCHES = 20;

/** The stage failed in a way after which the workflow looks again. */
class LookAgain extends Error {
  override readonly name = 'LookAgain';
}

export class Orchestrator {
  readonly memory: Memory;
  readonly healing: Healing = { attempt: null, refusal: null, announced: null };
  /** Of the latest look at everything. */
  verdict: Verdict | null = null;
  /** Replacements by their end, ms; never forgotten. */
  readonly replaced: number[] = [];
  private execution: Generator<Takes> | null = null;
  private leased = false;

  constructor(
    readonly truth: Truth,
    readonly unseen: Set<Unseen>,
  ) {
    const created = truth.beginnings > 0;
    this.memory = {
      cluster: {
        desired: 'present',
        phase: created ? { name: 'initialised', caHash: CA_HASH } : { name: 'uninitialised' },
        incarnation: 'b9a3a1f0-0000-4000-a000-000000000000',
        k3sVersion: created ? VERSION : null,
        paused: false,
        appliedManifests: created ? MANIFESTS : null,
      },
      slots: Array.from({ length: truth.servers }, (_, slot) => ({
        slot,
        generation: created ? 1 : 0,
        instances: truth.machines
          .filter((machine) => machine.slot === slot)
          .map(({ id: instanceId, generation, launchedAt, address }) => ({
            instanceId,
            generation,
            launchedAt,
            privateIp: address,
          })),
        suspicion: null,
        departures: [],
        replacing: null,
      })),
    };
  }

  get isAtWork(): boolean {
    return this.execution !== null;
  }

  /** A person starts the workflow. */
  start(): void {
    if (this.execution) return;
    this.leased = true;
    this.execution = this.run();
  }

  /** Somebody stops the execution; its lease stays behind. */
  abort(): void {
    this.execution = null;
  }

  /** The check of every minute. */
  check(): void {
    const holder = this.execution ? 'running' : this.leased ? 'ended' : 'none';
    const { decision, signature, slot, instanceId } = triage(
      glance(this.truth, this.memory, this.unseen),
      this.healing,
      holder,
    );
    if (decision === 'none') return;
    const { now } = this.truth;
    this.healing.attempt = { signature, at: now, noticedAt: now };
    if (decision === 'start') this.start();
    else this.healing.refusal = { incident: incidentOf({ code: 'paused', slot, instanceId }), at: now };
  }

  /** One step of the execution, and the time until the next. */
  step(): void {
    if (!this.execution) return;
    const { value, done } = this.execution.next();
    if (done) this.execution = null;
    else this.truth.pass(value);
  }

  private *run(): Generator<Takes> {
    let changed = false;
    for (let rounds = 0, watches = 0; ; ) {
      const observation = this.look();
      this.verdict = assess(observation, POLICY);
      const { action, plan, concern, recheckAfterSeconds } = this.verdict;
      if (action === 'none') {
        Object.assign(this.healing, { attempt: null, refusal: null });
        break;
      }
      const goesOn = action === 'watch' ? watches++ < WATCHES : action === 'converge' && rounds++ < ROUNDS;
      if (!goesOn) {
        this.healing.refusal = { incident: concern ? incidentOf(concern) : `failed ${changed}`, at: this.truth.now };
        break;
      }
      if (action === 'watch') {
        // A spare, at most; it boots while the dwell runs.
        for (const { slot } of plan.launch) yield* this.launch(slot);
        yield recheckAfterSeconds * 1000;
        continue;
      }
      changed = true;
      try {
        yield* this.converge(plan);
      } catch (error) {
        if (!(error instanceof LookAgain || error instanceof Refused)) throw error;
        yield 1000;
      }
    }
    this.leased = false;
  }

  private *converge(plan: Plan): Generator<Takes> {
    for (const { slot } of plan.launch) yield* this.launch(slot);
    if (plan.launch.length > 0) yield 45_000;
    this.boot();
    for (const retirement of plan.retire) yield* this.retire(retirement, plan);
    for (const { instanceId } of plan.register) {
      const machine = this.truth.machine(instanceId);
      if (machine) machine.registered = true;
    }
    const fresh = plan.launch.flatMap(({ slot }) => {
      const newest = this.memory.slots[slot]?.instances.at(-1);
      return newest ? [newest.instanceId] : [];
    });
    const joiners = [...plan.start.map(({ instanceId }) => instanceId), ...fresh];
    if (plan.init) yield* this.init(plan.initInstanceId ?? joiners[0] ?? '');
    const peer = plan.peer?.instanceId ?? plan.initInstanceId ?? joiners[0] ?? '';
    for (const instanceId of joiners) if (instanceId !== peer) yield* this.join(instanceId, peer);
    if (plan.apply) this.memory.cluster.appliedManifests = MANIFESTS;
    // Until the load balancer has seen what it needs.
    yield 40_000;
  }

  private *launch(slot: number): Generator<Takes> {
    const record = this.memory.slots[slot]!;
    onLaunch(this.truth, slot);
    record.generation++;
    const machine = this.truth.launch(slot, record.generation);
    // Dies here: EC2 has launched, and nobody has written it down.
    yield 1000;
    const { id: instanceId, generation, launchedAt, address } = machine;
    record.instances.push({ instanceId, generation, launchedAt, privateIp: address });
    machine.registered = true;
  }

  /** EC2 boots what was launched, whoever waits for it. */
  private boot(): void {
    for (const machine of this.truth.machines) {
      if (machine.power === 'pending' && this.truth.now - machine.launchedAt >= 40_000) {
        this.truth.turn(machine, { power: 'running' });
      }
    }
  }

  private *retire({ slot, instanceId, kind, member }: Plan['retire'][number], { peer }: Plan): Generator<Takes> {
    const permission = mayRemove(this.look(), instanceId);
    const machine = this.truth.machine(instanceId);
    const gone = !machine || machine.power === 'terminated';
    if (!permission.allowed && !(gone && permission.obstacle === 'moot')) throw new LookAgain(permission.reason);
    if (machine) {
      onTermination(this.truth, machine);
      this.truth.turn(machine, { power: 'terminated', registered: false });
    }
    yield 30_000;
    if (member) {
      const helper = peer && this.truth.machine(peer.instanceId);
      if (!helper || !answers(helper) || helper.agentLost) throw new LookAgain('the peer takes no commands');
      onRemoval(this.truth, instanceId);
      this.truth.removeMember(instanceId, helper);
      yield 5000;
    }
    this.forget(slot, instanceId, kind);
  }

  private forget(slot: number, instanceId: string, kind: Plan['retire'][number]['kind']): void {
    const { now } = this.truth;
    const record = this.memory.slots[slot];
    const known = record?.instances.some((instance) => instance.instanceId === instanceId);
    if (!record || !known) return;
    record.instances = record.instances.filter((instance) => instance.instanceId !== instanceId);
    record.suspicion = null;
    const departure = departureOf(instanceId, kind, this.memory.cluster, now);
    record.departures = [
      ...record.departures.filter((former) => isRecent(former, now)),
      ...(departure ? [departure] : []),
    ];
    if (!departure?.incarnation) return;
    this.replaced.push(now);
    onReplacement(this.replaced);
  }

  private *init(instanceId: string): Generator<Takes> {
    const machine = this.truth.machine(instanceId);
    const { cluster } = this.memory;
    if (!machine || !answers(machine) || machine.dud) throw new LookAgain('no machine to initialise');
    if (cluster.phase.name === 'initialised') throw new LookAgain('the latch is closed');
    cluster.phase = { name: 'initialising', instanceId };
    yield 1000;
    if (!this.truth.isMember(machine)) {
      if (!answers(machine)) throw new LookAgain('the initialiser is gone');
      onBeginning(this.truth);
      this.truth.begin(machine);
    }
    yield 40_000;
    if (!answers(machine)) throw new LookAgain('the initialiser is gone');
    cluster.phase = { name: 'initialised', caHash: CA_HASH };
    cluster.k3sVersion = VERSION;
  }

  private *join(instanceId: string, peerId: string): Generator<Takes> {
    const machine = this.truth.machine(instanceId);
    const peer = this.truth.machine(peerId);
    if (!machine || !peer || !answers(machine) || machine.dud || machine.agentLost) {
      throw new LookAgain('it takes no commands');
    }
    this.truth.addLearner(machine, peer);
    yield 20_000;
    this.truth.promote(machine);
    yield 20_000;
  }

  /** A look at everything, and what is remembered of it. */
  private look(): Observation {
    this.boot();
    const observation = observe(this.truth, this.memory, this.unseen);
    for (const { slot, suspicion } of nextSuspicions(observation)) {
      const record = this.memory.slots[slot];
      if (record) record.suspicion = suspicion;
    }
    return observation;
  }
}
