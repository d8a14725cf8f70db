/**
 * DynamoDB's number type: decimal, up to 38 significant digits, magnitude 1E-130 to 9.99…E+125. JavaScript numbers
 * would silently round what DynamoDB keeps exactly.
 * Source: DynamoDB developer guide, "Data types" (numbers are trimmed of leading and trailing zeroes).
 */
import { invalid } from './errors';

export interface Decimal {
  /** Significant digits with sign; zero has exponent 0. */
  digits: bigint;
  exponent: number;
}

/** Parses and checks the range. Throws ValidationException with DynamoDB's text. */
export function parseDecimal(text: string): Decimal {
  const match = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) {
    throw invalid(`The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`);
  }
  const [, sign, mantissa = '', exponent = '0'] = match;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(whole + fraction);
  return checked({ digits: sign === '-' ? -digits : digits, exponent: Number(exponent) - fraction.length });
}

export function formatDecimal({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = magnitude(digits);
  if (exponent >= 0) return sign + text + '0'.repeat(exponent);
  const padded = text.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** The stored form: no leading or trailing zeroes. */
export const canonicalNumber = (text: string): string => formatDecimal(parseDecimal(text));

export function addDecimals(a: string, b: string, sign: 1n | -1n = 1n): string {
  const [left, right, exponent] = align(parseDecimal(a), parseDecimal(b));
  return formatDecimal(checked({ digits: left + sign * right, exponent }));
}

export function compareDecimals(a: string, b: string): number {
  const [left, right] = align(parseDecimal(a), parseDecimal(b));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Approximate stored size in bytes: one byte per two significant digits, one for the exponent, one for a sign. */
export function decimalSize(text: string): number {
  const { digits } = parseDecimal(text);
  return Math.ceil(magnitude(digits).length / 2) + 1 + (digits < 0n ? 1 : 0);
}

const magnitude = (digits: bigint) => (digits < 0n ? -digits : digits).toString();

function align(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (value: Decimal) => value.digits * 10n ** BigInt(value.exponent - exponent);
  return [scaled(a), scaled(b), exponent];
}

function checked({ digits, exponent }: Decimal): Decimal {
  if (digits === 0n) return { digits: 0n, exponent: 0 };
  const trailing = /0*$/.exec(digits.toString())![0].length;
  const trimmed = { digits: digits / 10n ** BigInt(trailing), exponent: exponent + trailing };
  const length = magnitude(trimmed.digits).length;
  const order = trimmed.exponent + length - 1;
  if (order > 125) {
    throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (order < -130) {
    throw invalid('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  }
  if (length > 38) throw invalid('Attempting to store more than 38 significant digits in a Number');
  return trimmed;
}
