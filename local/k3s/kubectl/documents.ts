/** Kubernetes objects in YAML and JSON. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../arguments';
import { KubeObject } from '../objects';

const List = z.looseObject({ kind: z.literal('List'), items: z.array(z.unknown()) });

/** Every object of a YAML stream or JSON file; lists are opened. */
export function documents(file: string, text: string): KubeObject[] {
  const parsed = parseAllDocuments(text);
  if (!Array.isArray(parsed)) throw new UsageError('no objects passed to apply');
  const contents = parsed.flatMap((document): unknown[] => {
    const [fault] = document.errors;
    if (fault) throw new UsageError(`error parsing ${file}: error converting YAML to JSON: ${fault.message}`);
    const content: unknown = document.toJS();
    const list = List.safeParse(content);
    if (list.success) return list.data.items;
    return content === null || content === undefined ? [] : [content];
  });
  if (contents.length === 0) throw new UsageError('no objects passed to apply');
  return contents.map((content) => {
    const object = KubeObject.safeParse(content);
    if (object.success) return object.data;
    const faults = object.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ');
    throw new UsageError(`error validating "${file}": error validating data: ${faults}`);
  });
}
