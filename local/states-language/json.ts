/** JSON values, the only data a state machine knows. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** UTF-8 bytes of the value as text: what AWS measures its payload quota in. */
export const byteLength = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/** The path of a value that is not JSON, found inside something that should have been. */
export class NotJson extends Error {
  override readonly name = 'NotJson';
}

/**
 * Copies a value computed by JSONata into plain JSON. Members without a value disappear, as in JSON text.
 * @throws NotJson for functions and numbers that JSON cannot write.
 */
export function toJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : toJson(item)));
  if (isObject(value) && !('_jsonata_function' in value) && !('_jsonata_lambda' in value)) {
    const copy: JsonObject = {};
    for (const [name, member] of Object.entries(value)) if (member !== undefined) copy[name] = toJson(member);
    return copy;
  }
  throw new NotJson(typeof value === 'number' ? String(value) : 'function');
}
