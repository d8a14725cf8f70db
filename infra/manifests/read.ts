import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { as, type KubernetesObject, OBJECT } from './object';

/** The objects of `manifests/<component>/*.yaml`, file by file. Throws naming the file that is wrong. */
export function readComponent(root: string, component: string): KubernetesObject[] {
  const folder = join(root, 'manifests', component);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => {
      const file = `manifests/${component}/${name}`;
      return parseDocuments(readFileSync(join(folder, name), 'utf8'), file).map((object) => as(OBJECT, object, file));
    });
}

/** The documents of a YAML stream; empty ones, such as a comment between two lines of dashes, are left out. */
export function parseDocuments(text: string, file: string): unknown[] {
  return [...parseAllDocuments(text)].flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${file}: ${error.message}`);
    const content: unknown = document.toJS();
    return content === null ? [] : [content];
  });
}
