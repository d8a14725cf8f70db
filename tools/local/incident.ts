/** Where an incident begins and ends: what happens to traffic in between is told together. Pure. */
import { z } from 'zod';
import { SOURCE } from '../../functions/events';
import type { Health } from './narration';

const EVENT = z.object({ source: z.string(), 'detail-type': z.string(), detail: z.looseObject({}) });

/** A machine ends or stops, or something speaks against one. */
export function isTrouble(event: unknown): boolean {
  const { data } = EVENT.safeParse(event);
  if (data?.source === 'aws.ec2') return ENDING.has(data.detail.state);
  return data?.source === SOURCE && TROUBLE.has(data['detail-type']);
}

/** The cluster is whole again. */
export function isOver(event: unknown): boolean {
  const { data } = EVENT.safeParse(event);
  return data?.source === SOURCE && OVER.has(data['detail-type']);
}

/** Something does not receive new connections any more that did. */
export function leavesTraffic(before: ReadonlyMap<string, Health>, after: ReadonlyMap<string, Health>): boolean {
  return [...before].some(([id, health]) => health === 'healthy' && after.get(id) !== 'healthy');
}

const ENDING: ReadonlySet<unknown> = new Set(['shutting-down', 'terminated', 'stopping', 'stopped']);
const TROUBLE: ReadonlySet<string> = new Set(['Node Suspected', 'Replacement Started', 'Cluster Degraded']);
const OVER: ReadonlySet<string> = new Set(['Node Replaced', 'Cluster Ready']);
