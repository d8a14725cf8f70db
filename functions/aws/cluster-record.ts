/** The item `cluster`: what a person wants of the cluster, and the latch that lets it be initialised once. */
import * as z from 'zod/mini';
import type { ClusterRecord, Phase } from '../cluster/observation';
import { equals, exists } from './expression';
import type { Store } from './table';

const ID = 'cluster';

const FIELDS = {
  desired: z.enum(['present', 'absent']),
  incarnation: z.string(),
  k3sVersion: z.optional(z.string()),
  paused: z.boolean(),
  appliedManifests: z.optional(z.string()),
};
const ITEM = z.discriminatedUnion('phase', [
  z.object({ ...FIELDS, phase: z.literal('uninitialised') }),
  z.object({ ...FIELDS, phase: z.literal('initialising'), initInstanceId: z.string() }),
  z.object({ ...FIELDS, phase: z.literal('initialised'), caHash: z.string() }),
]);

function phaseOf(item: z.infer<typeof ITEM>): Phase {
  if (item.phase === 'initialising') return { name: 'initialising', instanceId: item.initInstanceId };
  if (item.phase === 'initialised') return { name: 'initialised', caHash: item.caHash };
  return { name: 'uninitialised' };
}

export class ClusterRecords {
  constructor(private readonly table: Store) {}

  /** Null before the first execution of any workflow. */
  async read(): Promise<ClusterRecord | null> {
    const item = await this.table.read(ID, ITEM);
    if (!item) return null;
    const { desired, incarnation, k3sVersion = null, paused, appliedManifests = null } = item;
    return { desired, phase: phaseOf(item), incarnation, k3sVersion, appliedManifests, paused };
  }

  /** Creates the record, with this incarnation, when there is none. */
  async want(desired: ClusterRecord['desired'], incarnation: string): Promise<void> {
    await this.table.change(ID, {
      set: [['desired', desired]],
      defaults: [
        ['phase', 'uninitialised'],
        ['incarnation', incarnation],
        ['paused', false],
      ],
      when: [],
    });
  }

  /** Closes the latch for everyone but this instance. False: it is not open. */
  beginInit(instanceId: string, k3sVersion: string): Promise<boolean> {
    return this.table.change(ID, {
      set: [
        ['phase', 'initialising'],
        ['initInstanceId', instanceId],
        ['k3sVersion', k3sVersion],
      ],
      when: [equals('desired', 'present'), equals('phase', 'uninitialised')],
    });
  }

  /** Hands the latch on. The caller has made sure that the former instance is terminated. */
  moveInit(former: string, instanceId: string, k3sVersion: string): Promise<boolean> {
    return this.table.change(ID, {
      set: [
        ['initInstanceId', instanceId],
        ['k3sVersion', k3sVersion],
      ],
      when: [equals('desired', 'present'), equals('phase', 'initialising'), equals('initInstanceId', former)],
    });
  }

  completeInit(instanceId: string, caHash: string, k3sVersion: string): Promise<boolean> {
    return this.table.change(ID, {
      set: [
        ['phase', 'initialised'],
        ['caHash', caHash],
        ['k3sVersion', k3sVersion],
      ],
      remove: ['initInstanceId'],
      when: [equals('phase', 'initialising'), equals('initInstanceId', instanceId)],
    });
  }

  /** Notes which manifests are in place. */
  async setAppliedManifests(sha256: string): Promise<void> {
    await this.table.change(ID, { set: [['appliedManifests', sha256]], when: [exists('incarnation')] });
  }

  /** A person stops the self-healer, or lets it go on. False: there is no record of a cluster. */
  setPaused(paused: boolean): Promise<boolean> {
    return this.table.change(ID, { set: [['paused', paused]], when: [exists('incarnation')] });
  }

  /** Ends this life: the next creation starts from nothing, under another incarnation. False: it is not to be absent. */
  reset(incarnation: string): Promise<boolean> {
    return this.table.change(ID, {
      set: [
        ['phase', 'uninitialised'],
        ['incarnation', incarnation],
        ['paused', false],
      ],
      remove: ['initInstanceId', 'caHash', 'k3sVersion', 'appliedManifests'],
      when: [equals('desired', 'absent')],
    });
  }
}
