/** Slots are the places that servers come and go in: `server-0` … `server-<N-1>`, N odd. */

/** All slots of a cluster of this many servers. */
export function slotsOf(servers: number): number[] {
  return Array.from({ length: servers }, (_, slot) => slot);
}

/** Index of the slot's zone, hence of its subnet: neighbours never share one. */
export function zoneIndex(slot: number, zones: number): number {
  return slot % zones;
}

/** How many of this many voters make a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many of this many voters may be lost while the rest still is a majority. */
export function tolerated(voters: number): number {
  return Math.floor((voters - 1) / 2);
}
