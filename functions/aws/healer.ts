/** The item `healer`: what the self-healer has tried and was refused, so that it does not try the same every minute. */
import * as z from 'zod/mini';
import type { Attempt, Healing, Refusal } from '../cluster/triage';
import { exists } from './expression';
import type { Store } from './table';

const ID = 'healer';

const ITEM = z.object({
  attempt: z.optional(z.object({ signature: z.string(), at: z.number(), noticedAt: z.number() })),
  refusal: z.optional(z.object({ incident: z.string(), at: z.number() })),
  announced: z.optional(z.string()),
});

export class Healer {
  constructor(private readonly table: Store) {}

  async read(): Promise<Healing> {
    const item = await this.table.read(ID, ITEM);
    return { attempt: item?.attempt ?? null, refusal: item?.refusal ?? null, announced: item?.announced ?? null };
  }

  /** Before an execution is started, or people are told that none may be. */
  async noteAttempt({ signature, at, noticedAt }: Attempt): Promise<void> {
    await this.table.change(ID, { set: [['attempt', { signature, at, noticedAt }]], when: [] });
  }

  /** An execution ended without a whole cluster. */
  async noteRefusal({ incident, at }: Refusal): Promise<void> {
    await this.table.change(ID, { set: [['refusal', { incident, at }]], when: [] });
  }

  /** The cluster is whole: what was tried and refused is history. */
  async settle(): Promise<void> {
    await this.table.change(ID, { remove: ['attempt', 'refusal'], when: [exists('id')] });
  }

  /** The creation of this life of the cluster was told. */
  async noteAnnounced(incarnation: string): Promise<void> {
    await this.table.change(ID, { set: [['announced', incarnation]], when: [] });
  }
}
