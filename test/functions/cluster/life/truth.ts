/**
 * A small cluster as it really is: machines, etcd members, Nodes and time. It knows nothing of observations or decisions,
 * and obeys the laws of EC2, etcd and K3s: no member is added while a voter is unreachable, nothing is written without a
 * quorum, and every signal lags behind what happened.
 */
import { address, id } from '../world';

/** From an event to the signal of it, ms. */
const LAG = { target: 30_000, node: 40_000, statusCheck: 120_000, agent: 300_000 } as const;

/** Why K3s will never run on a machine: its agent never comes online, or its user data never finishes. */
export type Dud = 'silent' | 'preparing';

export interface Machine {
  id: string;
  slot: number;
  generation: number;
  address: string;
  power: 'pending' | 'running' | 'stopped' | 'terminated';
  launchedAt: number;
  hangs: boolean;
  /** The hypervisor notices, too. */
  impaired: boolean;
  agentLost: boolean;
  dud: Dud | null;
  registered: boolean;
  /** When it began or ceased to do its work. */
  turnedAt: number;
}

export interface Member {
  owner: string;
  learner: boolean;
}

export interface Node {
  name: string;
  deleting: boolean;
}

/** K3s or EC2 refuses: not now. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

export class Truth {
  now = Date.UTC(2026, 10, 22, 14);
  readonly machines: Machine[] = [];
  members: Member[] = [];
  nodes: Node[] = [];
  /** How often a cluster was begun: never twice. */
  beginnings = 0;
  /** The next machine that is launched is one. */
  dud: Dud | null = null;

  constructor(readonly servers: number) {}

  /** Every server in service for an hour. */
  static whole(servers: number): Truth {
    const truth = new Truth(servers);
    truth.beginnings = 1;
    for (let slot = 0; slot < servers; slot++) {
      const machine = truth.launch(slot, 1);
      Object.assign(machine, { power: 'running', registered: true });
      truth.members.push({ owner: machine.id, learner: false });
      truth.nodes.push({ name: machine.id, deleting: false });
    }
    truth.pass(3_600_000);
    return truth;
  }

  pass(ms: number): void {
    this.now += ms;
  }

  machine(instanceId: string): Machine | undefined {
    return this.machines.find((machine) => machine.id === instanceId);
  }

  /** The machine of a slot that has most to lose: its voter, else its newest that exists. */
  serverOf(slot: number): Machine | undefined {
    const own = this.machines.filter((machine) => machine.slot === slot && machine.power !== 'terminated');
    return own.find((machine) => this.isVoter(machine)) ?? own.at(-1);
  }

  get voters(): Member[] {
    return this.members.filter(({ learner }) => !learner);
  }

  get majority(): number {
    return Math.floor(this.voters.length / 2) + 1;
  }

  get healthyVoters(): Machine[] {
    return this.voters
      .map(({ owner }) => this.machine(owner))
      .filter((machine) => machine !== undefined && answers(machine)) as Machine[];
  }

  get hasQuorum(): boolean {
    return this.voters.length > 0 && this.healthyVoters.length >= this.majority;
  }

  isVoter({ id: instanceId }: Machine): boolean {
    return this.voters.some(({ owner }) => owner === instanceId);
  }

  isMember({ id: instanceId }: Machine): boolean {
    return this.members.some(({ owner }) => owner === instanceId);
  }

  launch(slot: number, generation: number): Machine {
    const machine: Machine = {
      id: id(slot, generation),
      slot,
      generation,
      address: address(slot, generation),
      power: 'pending',
      launchedAt: this.now,
      hangs: false,
      impaired: false,
      agentLost: false,
      dud: this.dud,
      registered: false,
      turnedAt: this.now,
    };
    this.dud = null;
    this.machines.push(machine);
    return machine;
  }

  /** Something about a machine becomes different from now on. */
  turn(machine: Machine, change: Partial<Machine>): void {
    const before = answers(machine);
    Object.assign(machine, change);
    if (answers(machine) !== before) machine.turnedAt = this.now;
  }

  /** K3s starts on an empty disk without a peer: a new cluster, whatever else exists. */
  begin(machine: Machine): void {
    this.beginnings++;
    this.members.push({ owner: machine.id, learner: false });
    this.nodes.push({ name: machine.id, deleting: false });
    machine.turnedAt = this.now;
  }

  /** @throws Refused, as etcd does */
  addLearner(machine: Machine, peer: Machine): void {
    if (this.isMember(machine)) return;
    if (!answers(peer) || !this.hasQuorum) throw new Refused('the peer does not answer, or has no quorum');
    if (this.healthyVoters.length < this.voters.length) throw new Refused('etcdserver: unhealthy cluster');
    if (this.members.some(({ learner }) => learner)) throw new Refused('etcdserver: too many learner members');
    this.members.push({ owner: machine.id, learner: true });
  }

  /** @throws Refused when it has not caught up, or nobody can promote it */
  promote(machine: Machine): void {
    const member = this.members.find(({ owner }) => owner === machine.id);
    if (!member || !answers(machine) || !this.hasQuorum) throw new Refused('not promoted');
    member.learner = false;
    if (!this.nodes.some(({ name }) => name === machine.id)) this.nodes.push({ name: machine.id, deleting: false });
    machine.turnedAt = this.now;
  }

  /** @throws Refused without a quorum */
  removeMember(instanceId: string, peer: Machine): void {
    if (!answers(peer) || !this.hasQuorum) throw new Refused('the peer does not answer, or has no quorum');
    this.members = this.members.filter(({ owner }) => owner !== instanceId);
    this.nodes = this.nodes.filter(({ name }) => name !== instanceId);
  }

  /** What the API's target says. */
  target(machine: Machine): 'unregistered' | 'unused' | 'initial' | 'healthy' | 'unhealthy' {
    if (!machine.registered) return 'unregistered';
    if (machine.power !== 'running') return 'unused';
    const works = answers(machine) && this.isVoter(machine);
    if (this.now - machine.turnedAt >= LAG.target) return works ? 'healthy' : 'unhealthy';
    return this.isVoter(machine) && !works ? 'healthy' : 'initial';
  }

  /** What a healthy API server says of its Node. */
  ready(machine: Machine | undefined): 'True' | 'Unknown' {
    if (!machine) return 'Unknown';
    if (answers(machine)) return 'True';
    return this.now - machine.turnedAt >= LAG.node ? 'Unknown' : 'True';
  }

  statusCheck(machine: Machine): 'ok' | 'impaired' {
    return machine.impaired && this.now - machine.turnedAt >= LAG.statusCheck ? 'impaired' : 'ok';
  }

  agent(machine: Machine): 'online' | 'lost' | 'never' {
    if (machine.dud === 'silent') return 'never';
    if (machine.agentLost) return 'lost';
    return !answers(machine) && this.now - machine.turnedAt >= LAG.agent ? 'lost' : 'online';
  }
}

/** It runs and does not hang. */
export function answers({ power, hangs }: Machine): boolean {
  return power === 'running' && !hangs;
}
