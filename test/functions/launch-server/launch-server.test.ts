import type { LaunchRequest, Machine } from '../../../functions/aws/instances';
import type { ExecutionRef } from '../../../functions/contracts';
import { type Deps, launchServer } from '../../../functions/launch-server/launch-server';
import { OURS, THEIRS } from '../support/executions';
import { silent } from '../support/log';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

const refusal = (name: string) =>
  Object.assign(new Error(`${name}, says EC2`), { name, $metadata: { httpStatusCode: 400 } });

/** EC2 as far as launching goes: one instance per client token, whatever became of it. */
class FakeEc2 {
  readonly requests: LaunchRequest[] = [];
  readonly machines = new Map<string, Machine>();
  /** Instance types without capacity. */
  readonly lacking = new Set<string>();
  /** What the next launch ends with, after it took effect or before. */
  failure: { error: Error; after: boolean } | null = null;
  tagsVisible = true;

  async launch(request: LaunchRequest): Promise<Machine> {
    this.requests.push(request);
    const { failure } = this;
    this.failure = null;
    if (failure && !failure.after) throw failure.error;
    if (this.lacking.has(request.instanceType)) throw refusal('InsufficientInstanceCapacity');
    const known = this.machines.get(request.clientToken);
    if (known?.state === 'terminated') throw refusal('IdempotentInstanceTerminated');
    const launched =
      known ??
      machine(`i-0000000${this.machines.size}`, {
        state: 'pending',
        tags: { slot: request.slot, generation: request.generation },
        instanceType: request.instanceType,
      });
    this.machines.set(request.clientToken, launched);
    if (failure) throw failure.error;
    return launched;
  }

  byTag = async () => (this.tagsVisible ? [...this.machines.values()] : []);
  find = async (instanceId: string) =>
    [...this.machines.values()].find((candidate) => candidate.instanceId === instanceId) ?? null;
  zoneOf = async () => 'eu-west-3b';
}

async function start(options?: { maxAttempts: number }) {
  const emulated = await emulatedTable(options);
  const { leases, records, slots, run, now } = emulated;
  const ec2 = new FakeEc2();
  await run(() => leases.acquire(OURS, 'cluster', now()));
  await run(() => records.want('present', 'life-1'));
  const deps: Deps = {
    subnets: ['subnet-a', 'subnet-b', 'subnet-c'],
    launchTemplate: 'lt-1',
    launchTemplateVersion: '3',
    instanceTypes: ['m7g.medium', 't4g.medium'],
    leases,
    records,
    slots,
    instances: ec2,
    now,
  };
  const launch = (execution: ExecutionRef = OURS, after = 0) =>
    run(() => launchServer({ execution, slot: 1, after }, deps, silent));
  const hand = async (to: ExecutionRef) => {
    await run(() => leases.release(OURS));
    await run(() => leases.acquire(to, 'cluster', now()));
  };
  return { ...emulated, deps, ec2, launch, hand };
}

describe('launching a server', () => {
  it('asks for the preferred type in the slot’s subnet, with a token that fits, and records it', async () => {
    const { launch, ec2, run, slots } = await start();
    expect(await launch()).toEqual({ slot: 1, instanceId: 'i-00000000', generation: 1, instanceType: 'm7g.medium' });
    expect(ec2.requests).toMatchObject([
      { subnetId: 'subnet-b', launchTemplate: 'lt-1', launchTemplateVersion: '3', slot: 1, generation: 1 },
    ]);
    expect(ec2.requests[0]!.clientToken).toMatch(/^[0-9a-f]{64}$/);
    expect(await run(() => slots.read(1))).toMatchObject({
      generation: 1,
      launching: null,
      instances: [{ instanceId: 'i-00000000', generation: 1 }],
    });
  });

  it('returns the same server to a retry whose first answer was lost', async () => {
    const { launch, ec2 } = await start();
    const first = await launch();
    expect(await launch()).toEqual(first);
    expect(ec2.requests).toHaveLength(1);
  });

  it('launches the next generation when another execution wants one more', async () => {
    const { launch, hand, ec2 } = await start();
    await launch();
    await hand(THEIRS);
    expect(await launch(THEIRS, 1)).toMatchObject({ generation: 2 });
    expect(new Set(ec2.requests.map(({ clientToken }) => clientToken)).size).toBe(2);
  });

  it.each(['stopped', 'running'] as const)(
    'launches the next generation when the plan has given up one that is %s, however young',
    async (state) => {
      const { launch, ec2 } = await start();
      await launch();
      for (const launched of ec2.machines.values()) launched.state = state;
      expect(await launch(OURS, 1)).toMatchObject({ generation: 2, instanceId: 'i-00000001' });
      expect(await launch(OURS, 1)).toMatchObject({ generation: 2, instanceId: 'i-00000001' });
      expect(ec2.machines.size).toBe(2);
    },
  );

  it('returns what an earlier plan has left half-way to every retry, and launches once', async () => {
    const { launch, ec2, hand } = await start();
    ec2.failure = { error: new Error('socket hang up'), after: true };
    await expect(launch()).rejects.toThrow();
    await hand(THEIRS);
    const adopted = await launch(THEIRS);
    expect(await launch(THEIRS)).toEqual(adopted);
    expect(ec2.machines.size).toBe(1);
  });

  it('launches the next generation when the server it just launched is gone', async () => {
    const { launch, ec2 } = await start();
    await launch();
    for (const launched of ec2.machines.values()) launched.state = 'terminated';
    expect(await launch()).toMatchObject({ generation: 2 });
  });

  it('launches nothing for a cluster that nobody wants', async () => {
    const { launch, ec2, run, records } = await start();
    await run(() => records.want('absent', 'x'));
    await expect(launch()).rejects.toMatchObject({ name: 'LaunchRefused' });
    expect(ec2.requests).toEqual([]);
  });

  it('launches nothing without the lease', async () => {
    const { launch, hand, ec2 } = await start();
    await hand(THEIRS);
    await expect(launch()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ec2.requests).toEqual([]);
  });
});

describe('a launch that dies half-way', () => {
  const broken = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

  it('is continued after the instance was launched and before it was recorded', async () => {
    const { launch, ec2, run, slots } = await start();
    ec2.failure = { error: broken, after: true };
    // Not a refusal: the workflow tries again what is left open.
    await expect(launch()).rejects.toBe(broken);
    expect(await launch()).toMatchObject({ instanceId: 'i-00000000', generation: 1 });
    expect(ec2.machines.size).toBe(1);
    expect((await run(() => slots.read(1))).instances).toHaveLength(1);
  });

  it('is continued by the next execution, with the very same request while no tag is to be seen', async () => {
    const { launch, ec2, hand } = await start();
    ec2.failure = { error: broken, after: true };
    ec2.tagsVisible = false;
    await expect(launch()).rejects.toThrow();
    await hand(THEIRS);
    expect(await launch(THEIRS)).toMatchObject({ instanceId: 'i-00000000', generation: 1 });
    expect(ec2.requests[0]).toEqual(ec2.requests[1]);
  });

  it('is continued although the launch template has changed, and with it the client token', async () => {
    const { launch, ec2, deps } = await start();
    ec2.failure = { error: broken, after: true };
    await expect(launch()).rejects.toThrow();
    deps.launchTemplateVersion = '4';
    expect(await launch()).toMatchObject({ instanceId: 'i-00000000', generation: 1 });
    expect(ec2.machines.size).toBe(1);
  });

  it('repeats the instance type it got to, not the one it began with', async () => {
    const { launch, ec2 } = await start();
    ec2.lacking.add('m7g.medium');
    const { launch: original } = ec2;
    let calls = 0;
    ec2.launch = (request) => {
      if (++calls === 2) ec2.failure = { error: broken, after: true };
      return original.call(ec2, request);
    };
    ec2.tagsVisible = false;
    await expect(launch()).rejects.toThrow();
    ec2.lacking.clear();
    expect(await launch()).toMatchObject({ instanceId: 'i-00000000', instanceType: 't4g.medium' });
    expect(ec2.machines.size).toBe(1);
  });

  it.each([1, 2, 3, 4, 5, 6])('leaves one instance when the reply of table call %i is lost', async (nth) => {
    const { launch, ec2, world, run, slots } = await start();
    let seen = 0;
    world.faults.onCall('dynamodb', '*', { kind: 'lost-reply' }, { times: 1, when: () => ++seen === nth });
    await launch().catch(() => {});
    expect(await launch()).toMatchObject({ instanceId: 'i-00000000', generation: 1 });
    expect(ec2.machines.size).toBe(1);
    expect((await run(() => slots.read(1))).instances).toHaveLength(1);
  });

  it.each([1, 2])('counts one generation when the SDK sends table write %i again', async (nth) => {
    const { launch, ec2, world } = await start({ maxAttempts: 2 });
    let seen = 0;
    world.faults.onCall('dynamodb', 'UpdateItem', { kind: 'lost-reply' }, { times: 1, when: () => ++seen === nth });
    expect(await launch()).toMatchObject({ instanceId: 'i-00000000', generation: 1 });
    expect(ec2.machines.size).toBe(1);
  });

  it('gives up a generation whose instance has been terminated meanwhile', async () => {
    const { launch, ec2 } = await start();
    ec2.failure = { error: broken, after: true };
    await expect(launch()).rejects.toThrow();
    for (const launched of ec2.machines.values()) launched.state = 'terminated';
    expect(await launch()).toMatchObject({ generation: 2, instanceId: 'i-00000001' });
  });
});

describe('a zone without capacity', () => {
  it('gets the next type of the list', async () => {
    const { launch, ec2 } = await start();
    ec2.lacking.add('m7g.medium');
    expect(await launch()).toMatchObject({ instanceType: 't4g.medium', generation: 1 });
  });

  it('is named with every type that was tried', async () => {
    const { launch, ec2, run, slots } = await start();
    ec2.lacking.add('m7g.medium').add('t4g.medium');
    await expect(launch()).rejects.toMatchObject({
      name: 'CapacityUnavailable',
      message: expect.stringMatching(
        /server-1 in eu-west-3b: .*m7g\.medium.*InsufficientInstanceCapacity.*t4g\.medium/,
      ),
    });
    expect((await run(() => slots.read(1))).instances).toEqual([]);
  });

  it('is tried again from the preferred type, without counting another generation', async () => {
    const { launch, ec2 } = await start();
    ec2.lacking.add('m7g.medium').add('t4g.medium');
    await expect(launch()).rejects.toMatchObject({ name: 'CapacityUnavailable' });
    ec2.lacking.clear();
    expect(await launch()).toMatchObject({ instanceType: 'm7g.medium', generation: 1 });
  });
});

describe('EC2 saying no', () => {
  it('for another reason ends the launch with its words, and tries no other type', async () => {
    const { launch, ec2 } = await start();
    ec2.failure = { error: refusal('UnauthorizedOperation'), after: false };
    await expect(launch()).rejects.toMatchObject({
      name: 'LaunchRefused',
      message: expect.stringContaining('UnauthorizedOperation, says EC2'),
    });
    expect(ec2.requests).toHaveLength(1);
  });
});
