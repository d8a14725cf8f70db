/**
 * Concise Binary Object Representation (RFC 8949), as far as the Smithy RPC v2 protocol uses it. Timestamps (tag 1) are
 * read as epoch seconds, as JSON carries them.
 */

const FLOAT_MAJOR = 7;

class Reader {
  private position = 0;

  constructor(private readonly bytes: Buffer) {}

  /** @throws RangeError at the end of the input, TypeError at what this protocol does not use. */
  value(): unknown {
    const initial = this.bytes.readUInt8(this.position++);
    const major = initial >> 5;
    const info = initial & 31;
    if (major === FLOAT_MAJOR) return this.simple(info);
    if (info === 31) return this.indefinite(major);
    const argument = this.argument(info);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1 - argument;
      case 2:
        return this.take(argument);
      case 3:
        return this.take(argument).toString('utf8');
      case 4:
        return Array.from({ length: argument }, () => this.value());
      case 5:
        return Object.fromEntries(Array.from({ length: argument }, () => [String(this.value()), this.value()]));
      default:
        if (argument === 1) return this.value();
        throw new TypeError(`CBOR tag ${argument} is not used by AWS protocols`);
    }
  }

  private argument(info: number): number {
    const width = [1, 2, 4, 8][info - 24];
    if (info < 24) return info;
    if (!width) throw new TypeError(`malformed CBOR: additional information ${info}`);
    const from = this.position;
    this.position += width;
    return width === 8 ? Number(this.bytes.readBigUInt64BE(from)) : this.bytes.readUIntBE(from, width);
  }

  private take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.bytes.length) throw new RangeError('malformed CBOR: it ends too early');
    const bytes = this.bytes.subarray(this.position, end);
    this.position = end;
    return bytes;
  }

  private indefinite(major: number): unknown {
    const items: unknown[] = [];
    while (this.bytes.readUInt8(this.position) !== 0xff) items.push(this.value());
    this.position++;
    if (major === 2) return Buffer.concat(items as Buffer[]);
    if (major === 3) return items.join('');
    if (major === 4) return items;
    if (major !== 5 || items.length % 2 !== 0) throw new TypeError('malformed CBOR: indefinite length');
    return Object.fromEntries(
      Array.from({ length: items.length / 2 }, (_, pair) => [String(items[2 * pair]), items[2 * pair + 1]]),
    );
  }

  private simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 25:
        return half(this.take(2).readUInt16BE());
      case 26:
        return this.take(4).readFloatBE();
      case 27:
        return this.take(8).readDoubleBE();
      default:
        throw new TypeError(`CBOR simple value ${info} is not used by AWS protocols`);
    }
  }
}

/** IEEE 754 half precision (RFC 8949, appendix D). */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (mantissa + 1024) * 2 ** (exponent - 25);
}

export function decodeCbor(bytes: Buffer): unknown {
  return new Reader(bytes).value();
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 0x1_0000_0000) {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt8((major << 5) | 26);
    bytes.writeUInt32BE(argument, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8((major << 5) | 27);
  bytes.writeBigUInt64BE(BigInt(argument), 1);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8((FLOAT_MAJOR << 5) | 27);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

export function encodeCbor(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0xf6]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return double(value);
    return value >= 0 ? head(0, value) : head(1, -1 - value);
  }
  if (value instanceof Date) return Buffer.concat([head(6, 1), double(value.getTime() / 1000)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encodeCbor)]);
  if (typeof value === 'object') {
    const entries = (value instanceof Map ? [...value] : Object.entries(value)).filter(
      ([, member]) => member !== undefined,
    );
    return Buffer.concat([head(5, entries.length), ...entries.flatMap((pair) => pair.map(encodeCbor))]);
  }
  const text = Buffer.from(String(value));
  return Buffer.concat([head(3, text.length), text]);
}
