/**
 * Schemas of scalars that arrive as text: query requests carry nothing else, and CloudFormation accepts text wherever
 * it accepts a number or a boolean.
 */
import { z } from 'zod';

/** A whole number, or its decimal text. */
export const INTEGER = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/, 'expected a whole number')
    .transform(Number),
]);

/** A boolean, or `true`/`false` as text. */
export const BOOLEAN = z.union([
  z.boolean(),
  z.enum(['true', 'false', 'True', 'False']).transform((text) => text.toLowerCase() === 'true'),
]);
