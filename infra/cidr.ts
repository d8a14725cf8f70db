/** An IPv4 network: its first address as a number, and its prefix length. */
export interface Cidr {
  readonly address: number;
  readonly prefix: number;
}

/** Parses `a.b.c.d/n`. Undefined unless it is a network's own address: AWS rewrites others silently. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((octet) => octet > 255) || prefix > 32) return undefined;
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return address % size(prefix) === 0 ? { address, prefix } : undefined;
}

/** Whether two networks share an address. */
export function overlap(one: Cidr, other: Cidr): boolean {
  return one.address < other.address + size(other.prefix) && other.address < one.address + size(one.prefix);
}

function size(prefix: number): number {
  return 2 ** (32 - prefix);
}
