/**
 * The rules of etcd's membership, as its documentation and source state them: learners
 * (https://etcd.io/docs/v3.5/learning/design-learner/), the strict reconfiguration check (mayAddMember and
 * mayRemoveMember in server/etcdserver/server.go), and that nothing happens without a quorum
 * (https://etcd.io/docs/v3.5/op-guide/failures/).
 */
import type { World } from '../../../local/aws/service';
import { VirtualClock } from '../../../local/clock';
import { Credentials } from '../../../local/credentials';
import { Faults } from '../../../local/faults';
import { Etcd, type Member } from '../../../local/k3s/etcd';
import { Latency } from '../../../local/latency';
import { TableNetwork } from '../../../local/network-table';
import { Random } from '../../../local/random';

/** Longer than etcd waits before it calls a peer healthy (5 s), than an election, and than K3s' look at learners (15 s). */
const SETTLED = 40_000;

class Lab {
  readonly clock = new VirtualClock();
  readonly network = new TableNetwork(this.clock);
  readonly etcd: Etcd<string>;
  private readonly down = new Set<string>();

  constructor() {
    const random = new Random(1);
    const world: World = {
      clock: this.clock,
      random,
      latency: new Latency(random.fork('latency')),
      faults: new Faults(),
      credentials: new Credentials(random),
      account: '123456789012',
      region: 'eu-west-3',
      zones: [],
      log: () => {},
    };
    this.etcd = new Etcd(world, this.network, new Map(), () => {});
  }

  address(number: number): string {
    return `10.0.0.${number}`;
  }

  start(member: Member, removed: () => void = () => {}): void {
    const alive = () => !this.down.has(member.address);
    this.etcd.connect(member.id, `node-${member.address}-0123abcd`, { address: member.address, alive, removed });
  }

  /** The machine is gone from one moment to the next. */
  kill({ address, id }: Member): void {
    this.down.add(address);
    this.etcd.disconnect(id, false);
  }

  /** This many voters, all started. */
  async voters(count: number): Promise<Member[]> {
    const first = this.etcd.bootstrap('node-1', this.address(1));
    this.start(first);
    await this.clock.advance(SETTLED);
    for (let number = 2; number <= count; number++) {
      this.start(this.etcd.addLearner(this.address(number)));
      await this.clock.advance(SETTLED);
    }
    return this.etcd.members;
  }

  close(): void {
    this.etcd.stop();
    this.clock.close();
  }
}

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

describe('a new member', () => {
  it('is a learner until it has caught up and the leader promotes it', async () => {
    await lab.voters(1);
    const learner = lab.etcd.addLearner(lab.address(2));
    expect(learner).toMatchObject({ learner: true, name: '' });
    await lab.clock.advance(SETTLED);
    // It was added and never started: it cannot catch up.
    expect(learner.learner).toBe(true);
    lab.start(learner);
    await lab.clock.advance(SETTLED);
    expect(learner).toMatchObject({ learner: false, name: `node-${lab.address(2)}-0123abcd` });
  });

  it('is refused while another is a learner: there may be one', async () => {
    await lab.voters(1);
    lab.etcd.addLearner(lab.address(2));
    expect(() => lab.etcd.addLearner(lab.address(3))).toThrow('etcdserver: too many learner members in cluster');
  });

  it('is refused while a voter is not connected, and until it has been for five seconds', async () => {
    const [, , third] = await lab.voters(3);
    lab.kill(third!);
    expect(() => lab.etcd.addLearner(lab.address(4))).toThrow('etcdserver: unhealthy cluster');
    lab.etcd.remove(third!.id);
    expect(lab.etcd.addLearner(lab.address(4)).learner).toBe(true);
  });

  it('is refused with an address that another has', async () => {
    await lab.voters(2);
    expect(() => lab.etcd.addLearner(lab.address(2))).toThrow('etcdserver: Peer URLs already exists');
  });

  it('does not vote before it is promoted', async () => {
    const [first] = await lab.voters(1);
    lab.start(lab.etcd.addLearner(lab.address(2)));
    lab.kill(first!);
    await lab.clock.advance(1000);
    expect(lab.etcd.writable).toBe(false);
  });
});

describe('removing a member', () => {
  it('that is dead is allowed while the rest is a quorum', async () => {
    const [, , third] = await lab.voters(3);
    lab.kill(third!);
    lab.etcd.remove(third!.id);
    expect(lab.etcd.members).toHaveLength(2);
    expect(lab.etcd.wasRemoved(third!.id)).toBe(true);
  });

  it('that votes and lives is refused while another is down', async () => {
    const [, second, third] = await lab.voters(3);
    lab.kill(third!);
    await lab.clock.advance(SETTLED);
    expect(() => lab.etcd.remove(second!.id)).toThrow('etcdserver: unhealthy cluster');
    expect(lab.etcd.members).toHaveLength(3);
  });

  it('that votes and lives is allowed when all are up, and ends its etcd', async () => {
    const [, , third] = await lab.voters(3);
    const removed = jest.fn();
    lab.start(third!, removed);
    lab.etcd.remove(third!.id);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('is refused for the only voter', async () => {
    const [first] = await lab.voters(1);
    expect(() => lab.etcd.remove(first!.id)).toThrow('re-configuration failed due to not enough started members');
  });

  it('that only learns is always allowed', async () => {
    const [, second] = await lab.voters(3);
    const learner = lab.etcd.addLearner(lab.address(4));
    lab.kill(second!);
    await lab.clock.advance(SETTLED);
    lab.etcd.remove(learner.id);
    expect(lab.etcd.members).toHaveLength(3);
  });

  it('that is unknown is refused', async () => {
    await lab.voters(1);
    expect(() => lab.etcd.remove('42')).toThrow('etcdserver: member not found');
  });
});

describe('without a quorum', () => {
  it('nothing is written, added or removed, and with it everything again', async () => {
    const [, second, third] = await lab.voters(3);
    lab.etcd.commit('a', 'before');
    lab.kill(second!);
    lab.kill(third!);
    await lab.clock.advance(SETTLED);
    expect(lab.etcd.writable).toBe(false);
    for (const write of [
      () => lab.etcd.commit('a', 'lost'),
      () => lab.etcd.addLearner(lab.address(4)),
      () => lab.etcd.remove(third!.id),
    ]) {
      expect(write).toThrow('etcdserver: request timed out');
    }
    expect(lab.etcd.get('a')).toBe('before');
  });
});

describe('the loss of the leader', () => {
  it('stops writes for an election, after which another voter leads', async () => {
    const members = await lab.voters(3);
    const leader = members.find(({ id }) => id === lab.etcd.leader)!;
    lab.kill(leader);
    expect(() => lab.etcd.commit('a', 'too early')).toThrow('etcdserver: request timed out');
    await lab.clock.advance(SETTLED);
    expect(lab.etcd.leader).not.toBe(leader.id);
    lab.etcd.commit('a', 'later');
    expect(lab.etcd.get('a')).toBe('later');
  });

  it('leaves a partitioned minority out of contact', async () => {
    const [first, second, third] = await lab.voters(3);
    const heal = lab.network.block((from, to) => from === first!.address || to === first!.address);
    await lab.clock.advance(SETTLED);
    expect([first, second, third].map((member) => lab.etcd.inContact(member!.id))).toEqual([false, true, true]);
    heal();
    await lab.clock.advance(SETTLED);
    expect(lab.etcd.inContact(first!.id)).toBe(true);
  });
});
