/** How a format spells the elements of a list; `flat` repeats the list's own element (S3). */
export type ListStyle = 'item' | 'member' | 'flat';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#xD;' };

const escapeText = (text: string) => text.replace(/[&<>"\r]/g, (character) => ENTITIES[character]!);

function scalar(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return value.toString('base64');
  return escapeText(String(value));
}

/** One element with everything in it; nothing when the value is undefined or null. */
export function element(name: string, value: unknown, lists: ListStyle, attributes = ''): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) {
    if (lists === 'flat') return value.map((item) => element(name, item, lists)).join('');
    return `<${name}${attributes}>${value.map((item) => element(lists, item, lists)).join('')}</${name}>`;
  }
  if (value instanceof Map) {
    const entries = [...value].map(
      ([key, item]) => `<entry>${element('key', key, lists)}${element('value', item, lists)}</entry>`,
    );
    return `<${name}${attributes}>${entries.join('')}</${name}>`;
  }
  if (typeof value === 'object' && !(value instanceof Date) && !Buffer.isBuffer(value)) {
    return `<${name}${attributes}>${elements(value, lists)}</${name}>`;
  }
  return `<${name}${attributes}>${scalar(value)}</${name}>`;
}

/** An object's members as elements, in their order. */
export function elements(object: object, lists: ListStyle): string {
  return Object.entries(object)
    .map(([name, value]) => element(name, value, lists))
    .join('');
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
