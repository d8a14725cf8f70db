/** Intrinsic functions that compute a value from values, without knowing the stack. */

type Values = unknown[];

/** A fault in a function's arguments; the caller adds the place. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
}

/** By name without `Fn::`. Source: CloudFormation template reference, "Intrinsic function reference". */
export const FUNCTIONS: Record<string, (argument: unknown) => unknown> = {
  Base64: (argument) => Buffer.from(text(argument)).toString('base64'),
  Join: (argument) => {
    const [delimiter, parts] = values(argument, 2);
    return list(parts).map(text).join(text(delimiter));
  },
  Split: (argument) => {
    const [delimiter, source] = values(argument, 2);
    return text(source).split(text(delimiter));
  },
  Select: (argument) => {
    const [index, from] = values(argument, 2);
    const items = list(from);
    const at = Number(text(index));
    if (!Number.isInteger(at) || at < 0 || at >= items.length) {
      throw new FunctionError(`cannot select element ${text(index)} of ${items.length}`);
    }
    return items[at];
  },
  Cidr: (argument) => {
    const [block, count, bits = 8] = values(argument, 2, 3);
    return subnets(text(block), Number(text(count)), Number(text(bits)));
  },
};

/** @throws FunctionError unless it is a string, number or boolean */
export function text(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new FunctionError(`a string was expected, not ${JSON.stringify(value)}`);
}

export function list(value: unknown): Values {
  if (Array.isArray(value)) return value;
  throw new FunctionError(`a list was expected, not ${JSON.stringify(value)}`);
}

/** A list of `least` to `most` values. */
export function values(argument: unknown, least: number, most = least): Values {
  const items = list(argument);
  if (items.length >= least && items.length <= most) return items;
  throw new FunctionError(
    `${least === most ? least : `${least} to ${most}`} arguments were expected, not ${items.length}`,
  );
}

/** The first `count` blocks of `2^bits` addresses in an IPv4 block. */
function subnets(block: string, count: number, bits: number): string[] {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(block);
  if (!match) throw new FunctionError(`${block} is not an IPv4 block`);
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  const start = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const size = 2 ** bits;
  if (!(count >= 1 && count <= 256) || size * count > 2 ** (32 - prefix)) {
    throw new FunctionError(`${block} does not hold ${count} blocks of ${bits} bits`);
  }
  return Array.from({ length: count }, (_, index) => {
    const address = start + index * size;
    const octets = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
    return `${octets.join('.')}/${32 - bits}`;
  });
}
