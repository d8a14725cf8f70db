/** Which NodePorts services get (https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions). */
import type { Random } from '../random';

/** Both ends belong to it. */
export interface PortRange {
  first: number;
  last: number;
}

/** Of `--service-node-port-range` (https://docs.k3s.io/cli/server). */
export const DEFAULT_NODE_PORTS: PortRange = { first: 30000, last: 32767 };

/** `30000-32767`; undefined when it is none. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  return match && first <= last && last <= 65_535 ? { first, last } : undefined;
}

/**
 * How many ports at the beginning of the range are left to services that name theirs: a 32nd of it, 16 to 128
 * (kubernetes pkg/registry/core/service/portallocator, calculateRangeOffset).
 */
export function keptForNames({ first, last }: PortRange): number {
  const size = last - first + 1;
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
}

/** One for a service that names none: of the reserved ones only when no other is left; undefined when none is. */
export function pickNodePort(
  range: PortRange,
  taken: ReadonlySet<number | undefined>,
  random: Random,
): number | undefined {
  const { first, last } = range;
  const border = first + keptForNames(range);
  for (const [from, to] of [
    [border, last],
    [first, border - 1],
  ] as const) {
    const free = Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((port) => !taken.has(port));
    if (free.length > 0) return random.pick(free);
  }
  return undefined;
}
