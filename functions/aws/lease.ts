/**
 * The item `lease`: one workflow at a time. A lease alone is not trusted (safety rules 3 and 10): every step that
 * changes something reads it again, strongly consistent, and the irreversible ones also read the cluster again.
 */
import * as z from 'zod/mini';
import { LeaseLost } from '../cluster/errors';
import { leaseHolder, parseLeaseHolder } from '../cluster/names';
import type { ExecutionRef } from '../contracts';
import { absent, equals } from './expression';
import type { Store } from './table';

const ID = 'lease';

const HOLDER = z.pipe(
  z.string(),
  z.transform((text: string, context): ExecutionRef => {
    const holder = parseLeaseHolder(text);
    if (holder) return holder;
    context.issues.push({ code: 'custom', message: 'must be <execution>#<redrive count>', input: text });
    return z.NEVER;
  }),
);

const ITEM = z.object({
  holder: z.optional(HOLDER),
  workflow: z.optional(z.string()),
  acquiredAt: z.optional(z.number()),
  staleSince: z.optional(z.number()),
  commands: z._default(z.record(z.string(), z.string()), {}),
});

export interface Lease {
  holder: ExecutionRef;
  /** Epoch ms. */
  acquiredAt: number;
  /** When the holder was first seen not to run any more, epoch ms; null while it runs or nobody looked. */
  staleSince: number | null;
  /** Command id → instance id: sent by the holder, and not known to have ended. */
  commands: Record<string, string>;
}

export class Leases {
  constructor(private readonly table: Store) {}

  /** Null while nobody holds it. */
  async read(): Promise<Lease | null> {
    const item = await this.table.read(ID, ITEM);
    if (!item?.holder) return null;
    const { holder, acquiredAt = 0, staleSince = null, commands } = item;
    return { holder, acquiredAt, staleSince, commands };
  }

  /** @throws LeaseLost unless this execution holds it now */
  async require(execution: ExecutionRef): Promise<Lease> {
    const lease = await this.read();
    if (lease && leaseHolder(lease.holder) === leaseHolder(execution)) return lease;
    throw new LeaseLost(lease ? `the lease is held by ${leaseHolder(lease.holder)}` : 'nobody holds the lease');
  }

  /** Takes a free lease. */
  acquire(execution: ExecutionRef, workflow: string, now: number): Promise<boolean> {
    return this.table.change(ID, { ...held(execution, workflow, now), when: [absent('holder')] });
  }

  /** Notes that the holder was seen not to run; the first sighting counts. */
  markStale(holder: ExecutionRef, now: number): Promise<boolean> {
    return this.table.change(ID, {
      set: [['staleSince', now]],
      when: [equals('holder', leaseHolder(holder)), absent('staleSince')],
    });
  }

  /** Takes a stale lease from the holder that `stale` describes, unless it has moved since. */
  takeOver(stale: Lease, execution: ExecutionRef, workflow: string, now: number): Promise<boolean> {
    return this.table.change(ID, {
      ...held(execution, workflow, now),
      when: [equals('holder', leaseHolder(stale.holder)), equals('staleSince', stale.staleSince ?? 0)],
    });
  }

  /** False: the lease was not ours any more. */
  release(execution: ExecutionRef): Promise<boolean> {
    return this.table.change(ID, {
      set: [['commands', {}]],
      remove: ['holder', 'workflow', 'acquiredAt', 'staleSince'],
      when: [equals('holder', leaseHolder(execution))],
    });
  }

  /** Notes a command in flight. False: the lease was lost. */
  addCommand(execution: ExecutionRef, commandId: string, instanceId: string): Promise<boolean> {
    return this.table.change(ID, {
      set: [[['commands', commandId], instanceId]],
      when: [equals('holder', leaseHolder(execution))],
    });
  }

  /** The command has ended. Nothing to do when the lease was lost: the new holder looks after it. */
  async removeCommand(execution: ExecutionRef, commandId: string): Promise<void> {
    await this.table.change(ID, {
      remove: [['commands', commandId]],
      when: [equals('holder', leaseHolder(execution))],
    });
  }
}

function held(execution: ExecutionRef, workflow: string, now: number) {
  return {
    set: [
      ['holder', leaseHolder(execution)],
      ['workflow', workflow],
      ['acquiredAt', now],
      ['commands', {}],
    ],
    remove: ['staleSince'],
  } as const;
}
