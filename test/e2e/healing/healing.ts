/** What the tests of healing have in common: a created cluster under a guard, a client outside, and what people were told. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { StartInstancesCommand } from '@aws-sdk/client-ec2';
import type { IncidentRequest } from '../../../local/incidents';
import { type RequestResult, TableNetwork } from '../../../local/network-table';
import { inbox } from '../../../local/state';
import { bootTest, stateEntered, type TestCluster, type TestOptions } from '../../support/embedded';
import { expectHealthy } from '../../support/expectations';

/** A cluster to which something happens while somebody watches what the self-healer does about it. */
export class Trial {
  /** What the self-healer did and must never do (safety rule 1). */
  readonly harm: string[] = [];
  /** The instances of the creation. */
  private readonly created: string[];
  private injecting = false;

  constructor(readonly cluster: TestCluster) {
    this.created = cluster.servers.map(({ instanceId }) => instanceId);
    const { ec2, states } = cluster.aws.services;
    ec2.onState((instanceId, state) => {
      if (state === 'shutting-down' && !this.injecting) this.check(instanceId, 'terminated');
    });
    states.onHistory(({ input }, event) => {
      if (stateEntered(event) === 'RemoveMember') this.check(null, `removed a member (${JSON.stringify(input)})`);
    });
  }

  /** Makes something go wrong, as people do: over HTTP. What ends by it is not the self-healer's doing. */
  async inject(...incidents: IncidentRequest[]): Promise<void> {
    this.injecting = true;
    for (const incident of incidents) await this.ask('POST', incident);
    this.injecting = false;
  }

  /** Ends what can end. */
  heal(): Promise<void> {
    return this.ask('DELETE');
  }

  /** A person pauses healing, or resumes it, in the console's table editor. */
  async pause(paused: boolean): Promise<void> {
    const { cluster } = this;
    const change = new UpdateItemCommand({
      TableName: cluster.table,
      Key: { id: { S: 'cluster' } },
      UpdateExpression: 'SET paused = :paused',
      ExpressionAttributeValues: { ':paused': { BOOL: paused } },
    });
    await cluster.send(() => cluster.dynamodb.send(change));
  }

  /** A person starts the instances that are stopped. */
  async powerOn(): Promise<void> {
    const { cluster } = this;
    const stopped = cluster.servers.filter(({ state }) => state === 'stopped').map(({ instanceId }) => instanceId);
    if (stopped.length === 0) return;
    await cluster.send(() => cluster.ec2.send(new StartInstancesCommand({ InstanceIds: stopped })));
  }

  /** The subjects of the messages that people got since the creation was told. */
  get subjects(): (string | null)[] {
    return inbox(this.cluster.aws.services)
      .slice(1)
      .map(({ subject }) => subject);
  }

  /** Their texts. */
  get messages(): string[] {
    return inbox(this.cluster.aws.services)
      .slice(1)
      .map(({ message }) => message);
  }

  /** The executions that the self-healer started, oldest first. */
  get repairs() {
    return this.cluster.aws.services.states.listExecutions().filter(({ name }) => name.startsWith('repair-'));
  }

  /** How many machines came and went beside the servers of the creation. */
  get spares(): number {
    return this.cluster.launched.filter(({ instanceId }) => !this.created.includes(instanceId)).length;
  }

  /** Who called TerminateInstances, each time. */
  get terminated(): string[] {
    return this.cluster.calls.filter(({ operation }) => operation === 'TerminateInstances').map(({ caller }) => caller);
  }

  /**
   * Every slot has one server, a Ready voter that every target group sends traffic to; nothing is left of anybody else,
   * and nobody is at work.
   */
  get whole(): boolean {
    const { servers, targetGroups, members, nodes, executions, instances } = this.cluster.state;
    const ids = servers.map(({ instanceId }) => instanceId);
    const addresses = servers.map(({ privateIp }) => privateIp);
    return (
      same(
        servers.map(({ slot }) => slot),
        [0, 1, 2],
      ) &&
      servers.every(({ ready, etcdVoter }) => ready && etcdVoter) &&
      same(
        nodes.map(({ name }) => name),
        ids,
      ) &&
      same(
        members.map(({ address }) => address),
        addresses,
      ) &&
      instances.filter(({ state }) => state !== 'terminated').length === 3 &&
      targetGroups.every(
        ({ healthy, targets }) =>
          healthy === 3 &&
          same(
            targets.map(({ id }) => id),
            ids,
          ),
      ) &&
      executions.every(({ status }) => status !== 'RUNNING')
    );
  }

  /** Lets time pass until the cluster is whole and its servers in these slots, and no others, are new. */
  async healed(slots: number[], seconds = 900): Promise<void> {
    const before = this.created;
    const replaced = () =>
      this.cluster.servers.flatMap(({ slot, instanceId }) => (before.includes(instanceId) ? [] : (slot ?? [])));
    const atRest = async () => (await this.cluster.item('lease'))?.holder === undefined;
    for (let passed = 0; !this.whole || !same(replaced(), slots) || !(await atRest()); passed += 5) {
      if (passed >= seconds) throw new Error(`not healed after ${seconds} s; replaced: ${replaced()}`);
      await this.cluster.pass(5);
    }
    // Until everybody has been told.
    await this.cluster.pass(30);
    expectHealthy(this.cluster);
    expect(this.harm).toEqual([]);
    for (const { slot, instanceId } of this.cluster.servers) {
      const item = await this.cluster.item(`slot/${slot}`);
      expect(Object.keys(item?.instances?.M ?? {})).toEqual([instanceId]);
    }
  }

  private async ask(method: string, body?: IncidentRequest): Promise<void> {
    const text = body ? JSON.stringify(body) : '';
    const query = new URLSearchParams();
    const { route } = this.cluster.aws;
    const answer = await route({ method, path: '/_local/faults', query, headers: {}, body: Buffer.from(text) });
    expect({ status: answer.status, body: String(answer.body) }).toMatchObject({ status: 200 });
  }

  /** Of the voters that are left when one goes, a majority must be alive and Ready. */
  private check(leaving: string | null, what: string): void {
    const { servers, members } = this.cluster.state;
    const leaver = servers.find(({ instanceId }) => instanceId === leaving);
    const address = leaver?.privateIp ?? this.cluster.aws.services.ec2.instance(leaving ?? '')?.privateIp;
    const left = members.filter((member) => !member.learner && member.address !== address);
    const healthy = left.filter(
      (member) => member.running && servers.some(({ privateIp, ready }) => privateIp === member.address && ready),
    );
    if (leaving !== null && healthy.length * 2 <= left.length)
      this.harm.push(`${leaving} was ${what} with ${healthy.length} of ${left.length} voters healthy`);
    if (leaving === null && healthy.length < 2) this.harm.push(`${what} with ${healthy.length} voters healthy`);
  }
}

const same = (a: (string | number | null)[], b: (string | number | null)[]) =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());

/** A cluster that was created, and of which everybody has been told. */
export async function createdCluster(options: TestOptions = {}): Promise<Trial> {
  const cluster = await bootTest(options);
  await cluster.create();
  // The alarms that the creation raised are over.
  await cluster.pass(90);
  cluster.calls.length = 0;
  return new Trial(cluster);
}

/** Lets time pass until something is true; says after how many seconds. */
export async function after({ cluster }: Trial, predicate: () => boolean, limit = 1800): Promise<number> {
  const begun = cluster.clock.now();
  await cluster.becomes(predicate, limit);
  return (cluster.clock.now() - begun) / 1000;
}

export interface Request {
  /** When it was sent, AWS time. */
  at: number;
  result: RequestResult;
}

/** Somebody outside who sends a request every second, each on a new connection, whatever became of the one before. */
export class Client {
  readonly requests: Request[] = [];
  private readonly timer;

  constructor({ cluster: { aws, clock } }: Trial, port = 80) {
    const { network } = aws;
    if (!(network instanceof TableNetwork)) throw new Error('this client needs the network without sockets');
    this.timer = clock.every(1000, () => {
      const at = clock.now();
      network.request(port).then((result) => this.requests.push({ at, result }));
    });
  }

  stop(): void {
    this.timer.cancel();
  }

  get failures(): Request[] {
    return this.requests.filter(({ result }) => !result.ok || result.response.status !== 200);
  }

  /** Requests that the load balancer sent to this address. */
  to(address: string): Request[] {
    return this.requests.filter(({ result }) => result.address === address);
  }
}
