import * as z from 'zod/mini';
import { parse } from '../../../functions/runtime/parse';

const SCHEMA = z.strictObject({ slot: z.int(), server: z.strictObject({ name: z.string() }) });

describe('parsing what comes from outside', () => {
  it('returns the value when all is well', () => {
    const value = { slot: 1, server: { name: 'a' } };
    expect(parse(SCHEMA, value, 'input')).toEqual({ value });
  });

  it('reports all faults together, each by the path of its field', () => {
    expect(parse(SCHEMA, { slot: 'x', server: { name: 3, size: 1 }, color: 'red' }, 'input')).toEqual({
      faults: [
        'slot: Invalid input: expected number, received string',
        'server.name: Invalid input: expected string, received number',
        'server.size: is not a known field',
        'color: is not a known field',
      ],
    });
  });

  it('names the value itself when that is the fault', () => {
    expect(parse(SCHEMA, 7, 'input')).toEqual({ faults: ['input: Invalid input: expected object, received number'] });
  });
});
