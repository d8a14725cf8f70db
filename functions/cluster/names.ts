/** How things are called: one place, because inventory, tags, IAM conditions and people all read these names. */

/** Tag keys. They serve people and IAM; the inventory is the table. */
export const TAG = {
  cluster: 'k3s:cluster',
  slot: 'k3s:slot',
  role: 'k3s:role',
  generation: 'k3s:generation',
  name: 'Name',
} as const;

/** Value of the role tag. */
export const SERVER_ROLE = 'server';

/** What people call a slot's server, whichever instance it is now: `server-1`. */
export function serverName(slot: number): string {
  return `server-${slot}`;
}

/** A server in a sentence: `server-1 i-0b7…`. */
export function label(server: { slot: number; instanceId: string }): string {
  return `${serverName(server.slot)} ${server.instanceId}`;
}

/** Tags of an instance, its volumes and its network interfaces, set in the launch request itself. */
export function tagsOf(server: { cluster: string; slot: number; generation: number }): Record<string, string> {
  return {
    [TAG.cluster]: server.cluster,
    [TAG.slot]: String(server.slot),
    [TAG.role]: SERVER_ROLE,
    [TAG.generation]: String(server.generation),
    [TAG.name]: `${server.cluster}-${serverName(server.slot)}`,
  };
}

/** Slot and generation from an instance's tags; null when they are not those of a server. */
export function parseTags(tags: Record<string, string>): { slot: number; generation: number } | null {
  const slot = wholeNumber(tags[TAG.slot]);
  const generation = wholeNumber(tags[TAG.generation]);
  if (tags[TAG.role] !== SERVER_ROLE || slot === null || generation === null) return null;
  return { slot, generation };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Who holds the lease: a redriven execution is another holder, because it runs its steps again. */
export function leaseHolder(execution: { id: string; redrive: number }): string {
  return `${execution.id}#${execution.redrive}`;
}

/** The execution behind a lease holder; null when the text is not one. */
export function parseLeaseHolder(holder: string): { id: string; redrive: number } | null {
  const match = /^(.+)#(\d{1,9})$/.exec(holder);
  return match?.[1] === undefined ? null : { id: match[1], redrive: Number(match[2]) };
}

/**
 * What makes two launches the same launch. The step hashes it (SHA-256, hexadecimal) into the ClientToken, because a
 * token has at most 64 ASCII characters and hashing is not the domain's business. Tokens outlive termination by a day:
 * that is why incarnation and generation are part of it.
 */
export function clientTokenInput(launch: {
  incarnation: string;
  slot: number;
  generation: number;
  launchTemplateVersion: string;
  instanceType: string;
}): string {
  return [launch.incarnation, launch.slot, launch.generation, launch.launchTemplateVersion, launch.instanceType].join(
    '/',
  );
}
