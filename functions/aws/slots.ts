/** The items `slot/<n>`: the inventory. It outlives tags, which are gone soon after an instance is terminated. */
import * as z from 'zod/mini';
import { leaseHolder } from '../cluster/names';
import type { Departure, Replacement, SlotInstance, SlotRecord, Suspicion } from '../cluster/observation';
import type { ExecutionRef } from '../contracts';
import type { Plain } from './attributes';
import { absent, type Condition, either, equals, exists } from './expression';
import type { Store } from './table';

/** No cluster has more: `servers` is 3 or 5. */
export const MAX_SLOTS = 5;

const id = (slot: number) => `slot/${slot}`;

const ITEM = z.object({
  generation: z.number(),
  launching: z.optional(z.number()),
  launchingType: z.optional(z.string()),
  launchedBy: z.optional(z.string()),
  instances: z.record(
    z.string(),
    z.object({ generation: z.number(), launchedAt: z.number(), privateIp: z.optional(z.string()) }),
  ),
  suspicion: z.optional(
    z.object({ instanceId: z.string(), since: z.number(), lastSeen: z.number(), signals: z.array(z.string()) }),
  ),
  departures: z.record(
    z.string(),
    z.object({ at: z.number(), failed: z.boolean(), incarnation: z.optional(z.string()) }),
  ),
  replacing: z.optional(
    z.object({
      instanceId: z.string(),
      since: z.number(),
      startedAt: z.number(),
      reason: z.string(),
      decision: z.string(),
    }),
  ),
});

/** A launch that was begun and has not been recorded as done. */
export interface Launching {
  generation: number;
  /** The instance type it last asked for: a retry must repeat that very request. */
  instanceType: string;
}

/** The inventory of a slot, and how its newest launch went. */
export interface SlotState extends SlotRecord {
  launching: Launching | null;
  /** The lease holder that began the newest launch. */
  launchedBy: string | null;
}

const EMPTY: Omit<SlotState, 'slot'> = {
  generation: 0,
  instances: [],
  suspicion: null,
  departures: [],
  replacing: null,
  launching: null,
  launchedBy: null,
};

export class Slots {
  constructor(private readonly table: Store) {}

  async read(slot: number): Promise<SlotState> {
    const item = await this.table.read(id(slot), ITEM);
    if (!item) return { ...EMPTY, slot };
    const { generation, launching, launchingType = '', launchedBy = null, suspicion = null } = item;
    const { replacing = null } = item;
    return {
      slot,
      generation,
      instances: Object.entries(item.instances)
        .map(([instanceId, launch]): SlotInstance => ({ instanceId, ...launch }))
        .sort((a, b) => a.generation - b.generation),
      suspicion,
      departures: Object.entries(item.departures).map(([instanceId, { at, failed, incarnation = null }]) => ({
        instanceId,
        at,
        failed,
        incarnation,
      })),
      replacing,
      launching: launching === undefined ? null : { generation: launching, instanceType: launchingType },
      launchedBy,
    };
  }

  readAll(count = MAX_SLOTS): Promise<SlotState[]> {
    return Promise.all(Array.from({ length: count }, (_, slot) => this.read(slot)));
  }

  /** Counts a generation and notes what is asked for, before EC2 is asked. False: somebody else counted. */
  beginLaunch(slot: number, former: number, instanceType: string, execution: ExecutionRef): Promise<boolean> {
    return this.table.change(id(slot), {
      set: [
        ['generation', former + 1],
        ['launching', former + 1],
        ['launchingType', instanceType],
        ['launchedBy', leaseHolder(execution)],
      ],
      defaults: [
        ['instances', {}],
        ['departures', {}],
      ],
      when: [former === 0 ? either(absent('generation'), equals('generation', 0)) : equals('generation', former)],
    });
  }

  /** The same launch goes on with another instance type. */
  changeLaunch(slot: number, generation: number, instanceType: string): Promise<boolean> {
    return this.table.change(id(slot), {
      set: [['launchingType', instanceType]],
      when: [launches(generation)],
    });
  }

  /** The instance exists: it belongs to the inventory from now on. False: this launch was recorded before. */
  completeLaunch(slot: number, { instanceId, ...launch }: SlotInstance): Promise<boolean> {
    return this.table.change(id(slot), {
      set: [[['instances', instanceId], launch]],
      remove: ['launching', 'launchingType'],
      when: [launches(launch.generation)],
    });
  }

  /** Notes what speaks against the slot's server; null: nothing does. */
  async setSuspicion(slot: number, suspicion: Suspicion | null): Promise<void> {
    if (!suspicion) {
      await this.table.change(id(slot), { remove: ['suspicion'], when: [exists('suspicion')] });
      return;
    }
    const { instanceId, since, lastSeen, signals } = suspicion;
    await this.table.change(id(slot), {
      set: [['suspicion', { instanceId, since, lastSeen, signals }]],
      // Not the instance: of a launch that died half-way the inventory may not know yet, and it can be sick as well.
      when: [exists('generation')],
    });
  }

  /** Notes that the slot's server is being replaced, until it is told as done. */
  async setReplacing(slot: number, replacing: Replacement): Promise<void> {
    const { instanceId, since, startedAt, reason, decision } = replacing;
    await this.table.change(id(slot), {
      set: [['replacing', { instanceId, since, startedAt, reason, decision }]],
      when: [exists('generation')],
    });
  }

  /** The replacement of this server is done and told. */
  async clearReplacing(slot: number, instanceId: string): Promise<void> {
    await this.table.change(id(slot), {
      remove: ['replacing'],
      when: [equals(['replacing', 'instanceId'], instanceId)],
    });
  }

  /**
   * Takes an instance out of the inventory, and the slot's signals with it. False: it was not in it.
   * @param departure remembered in the same write: a step that dies, or whose answer is lost, has done both or neither
   * @param outdated instances whose departure is remembered no longer
   */
  forget(slot: number, instanceId: string, departure: Departure | null, outdated: string[]): Promise<boolean> {
    return this.table.change(id(slot), {
      set: departure ? [[['departures', instanceId], stored(departure)]] : [],
      remove: [['instances', instanceId], 'suspicion', ...outdated.map((former) => ['departures', former])],
      when: [exists(['instances', instanceId])],
    });
  }
}

function stored({ at, failed, incarnation }: Departure): Plain {
  return incarnation === null ? { at, failed } : { at, failed, incarnation };
}

const launches = (generation: number): Condition => equals('launching', generation);
