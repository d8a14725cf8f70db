import { AwsError } from '../service';

/** An IPv4 range: the first address and the prefix length. */
export interface Cidr {
  text: string;
  first: number;
  prefix: number;
}

const SIZE = (prefix: number) => 2 ** (32 - prefix);

export function addressNumber(address: string): number {
  return address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

/**
 * @throws AwsError InvalidParameterValue unless it is an IPv4 CIDR whose host bits are zero
 */
export function parseCidr(text: string, parameter = 'cidrBlock'): Cidr {
  const match = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(text);
  const prefix = Number(match?.[2]);
  const first = addressNumber(match?.[1] ?? '');
  const valid = match && prefix <= 32 && match[1]!.split('.').every((part) => Number(part) <= 255);
  if (!valid || first % SIZE(prefix) !== 0) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${text}) for parameter ${parameter} is invalid. This is not a valid CIDR block.`,
    );
  }
  return { text, first, prefix };
}

/** Whether every address of `inner` lies in `outer`. */
export const contains = (outer: Cidr, inner: Cidr) =>
  inner.prefix >= outer.prefix && inner.first >= outer.first && inner.first < outer.first + SIZE(outer.prefix);

export const overlaps = (a: Cidr, b: Cidr) => contains(a, b) || contains(b, a);

/** Addresses of a subnet that AWS leaves to its owner: all but the first four and the last. */
export const usableAddresses = ({ prefix }: Cidr) => SIZE(prefix) - 5;
