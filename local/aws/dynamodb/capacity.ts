/**
 * What requests consume, in request units, as on-demand tables are billed.
 * Source: Developer Guide, "Capacity unit consumption for DynamoDB operations".
 */
import { type Item, itemSize } from './attribute-value';

/** Request units so far. */
export interface Consumed {
  read: number;
  write: number;
}

const READ_BYTES = 4096;
const WRITE_BYTES = 1024;

/** Reading so many bytes: by a Query or Scan together, by GetItem each item by itself. Half unless strongly consistent. */
export function readUnits(bytes: number, consistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_BYTES)) * (consistent ? 1 : 0.5);
}

/** A write counts the larger of what was there and what is there now; one whose condition fails, what was there. */
export function writeUnits(...items: (Item | undefined)[]): number {
  const sizes = items.map((item) => (item ? itemSize(item) : 0));
  return Math.max(1, Math.ceil(Math.max(...sizes) / WRITE_BYTES));
}
