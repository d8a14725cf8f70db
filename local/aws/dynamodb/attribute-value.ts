/** Attribute values: their types, validation, order, equality and size. */
import { z } from 'zod';
import { canonicalNumber, compareDecimals, decimalSize } from './decimal';
import { invalid, invalidParameter } from './errors';

export type AttributeValue =
  | { S: string }
  | { N: string }
  /** Base64, as the JSON protocol carries it. */
  | { B: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { M: Item }
  | { L: AttributeValue[] }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: string[] };

export type Item = { [name: string]: AttributeValue };

export type AttributeType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS';

const TYPES: readonly AttributeType[] = ['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS'];

/** Maximum nesting of lists and maps. Source: DynamoDB quotas. */
const MAX_DEPTH = 32;

/** What arrives: members unknown to DynamoDB are dropped by the service, so that `{}` means "no datatype set". */
interface Raw {
  S?: string | undefined;
  N?: string | undefined;
  B?: string | undefined;
  BOOL?: boolean | undefined;
  NULL?: boolean | undefined;
  M?: Record<string, Raw> | undefined;
  L?: Raw[] | undefined;
  SS?: string[] | undefined;
  NS?: string[] | undefined;
  BS?: string[] | undefined;
}

const RAW: z.ZodType<Raw> = z.lazy(() =>
  z.strictObject({
    S: z.string().optional(),
    N: z.string().optional(),
    B: z.string().optional(),
    BOOL: z.boolean().optional(),
    NULL: z.boolean().optional(),
    M: z.record(z.string(), RAW).optional(),
    L: z.array(RAW).optional(),
    SS: z.array(z.string()).optional(),
    NS: z.array(z.string()).optional(),
    BS: z.array(z.string()).optional(),
  }),
);

/** The wire shape of a map of attribute values; `parseItem` checks and normalises it with DynamoDB's own errors. */
export const RAW_ITEM = z.record(z.string(), RAW);
export type RawItem = z.infer<typeof RAW_ITEM>;

export const typeOf = (value: AttributeValue): AttributeType => {
  const type = TYPES.find((candidate) => candidate in value);
  if (!type) throw new TypeError('an attribute value always has a type');
  return type;
};

export function parseItem(raw: RawItem): Item {
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, parseValue(value)]));
}

/** Checks one value: exactly one datatype, valid numbers, no empty or duplicate set members, depth. */
export function parseValue(raw: Raw, depth = 0): AttributeValue {
  if (depth > MAX_DEPTH) {
    throw invalid('Nesting Levels have exceeded supported limits: Attributes of this depth are not supported');
  }
  const present = TYPES.filter((type) => raw[type] !== undefined);
  if (present.length === 0) {
    throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  }
  if (present.length > 1) {
    throw invalid(
      'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
    );
  }
  if (raw.S !== undefined) return { S: raw.S };
  if (raw.N !== undefined) return { N: canonicalNumber(raw.N) };
  if (raw.B !== undefined) return { B: raw.B };
  if (raw.BOOL !== undefined) return { BOOL: raw.BOOL };
  if (raw.M !== undefined) {
    return {
      M: Object.fromEntries(Object.entries(raw.M).map(([name, value]) => [name, parseValue(value, depth + 1)])),
    };
  }
  if (raw.L !== undefined) return { L: raw.L.map((value) => parseValue(value, depth + 1)) };
  if (raw.SS !== undefined) return { SS: parseSet('string set', raw.SS) };
  if (raw.NS !== undefined) return { NS: parseSet('number set', raw.NS.map(canonicalNumber)) };
  if (raw.BS !== undefined) return { BS: parseSet('binary set', raw.BS) };
  if (raw.NULL === false) throw invalidParameter('Null attribute value types must have the value of true');
  return { NULL: true };
}

function parseSet(kind: 'string set' | 'number set' | 'binary set', members: string[]): string[] {
  if (members.length === 0) {
    throw invalidParameter(kind === 'binary set' ? 'Binary sets should not be empty' : `An ${kind}  may not be empty`);
  }
  if (new Set(members).size === members.length) return members;
  if (kind === 'number set') throw invalid('Input collection contains duplicates');
  throw invalidParameter(
    `Input collection [${members.join(', ')}]${kind === 'binary set' ? 'of type BS' : ''} contains duplicates.`,
  );
}

/** Equality as DynamoDB's `=`: same type and same contents; sets have no order. */
export function equals(a: AttributeValue, b: AttributeValue): boolean {
  if ('N' in a && 'N' in b) return compareDecimals(a.N, b.N) === 0;
  if ('L' in a && 'L' in b) return a.L.length === b.L.length && a.L.every((value, index) => equals(value, b.L[index]!));
  if ('M' in a && 'M' in b) {
    const names = Object.keys(a.M);
    return (
      names.length === Object.keys(b.M).length &&
      names.every((name) => {
        const other = b.M[name];
        return other !== undefined && equals(a.M[name]!, other);
      })
    );
  }
  const left = setMembers(a);
  const right = setMembers(b);
  if (left && right) {
    return typeOf(a) === typeOf(b) && left.length === right.length && left.every((member) => right.includes(member));
  }
  return typeOf(a) === typeOf(b) && JSON.stringify(a) === JSON.stringify(b);
}

/** Order of two scalars of the same type, undefined when they have none: strings by UTF-8 bytes, binaries by bytes. */
export function compare(a: AttributeValue, b: AttributeValue): number | undefined {
  if ('N' in a && 'N' in b) return compareDecimals(a.N, b.N);
  if ('S' in a && 'S' in b) return Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  if ('B' in a && 'B' in b) return Buffer.compare(Buffer.from(a.B, 'base64'), Buffer.from(b.B, 'base64'));
  return undefined;
}

export function setMembers(value: AttributeValue): string[] | undefined {
  if ('SS' in value) return value.SS;
  if ('NS' in value) return value.NS;
  if ('BS' in value) return value.BS;
  return undefined;
}

/** Stored size in bytes. Source: DynamoDB developer guide, "DynamoDB item sizes and formats". */
export function itemSize(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: AttributeValue): number {
  const total = (sizes: number[]) => sizes.reduce((sum, size) => sum + size, 0);
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return decimalSize(value.N);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('M' in value) return 3 + Object.keys(value.M).length + itemSize(value.M);
  if ('L' in value) return 3 + value.L.length + total(value.L.map(valueSize));
  if ('SS' in value) return total(value.SS.map((member) => Buffer.byteLength(member)));
  if ('NS' in value) return total(value.NS.map(decimalSize));
  if ('BS' in value) return total(value.BS.map((member) => Buffer.byteLength(member, 'base64')));
  return 1;
}
