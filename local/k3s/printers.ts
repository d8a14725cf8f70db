/** How kubectl prints objects: tables for people, and the formats scripts ask for. */
import { stringify } from 'yaml';
import { columnsOf } from './columns';
import { evaluate, JsonPathError, print, valuesAt } from './jsonpath';
import { type Kind, qualified } from './kinds';
import { withoutManagedFields } from './managed-fields';
import type { KubeObject } from './objects';

/** An output format that the model does not have, or one that kubectl refuses. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

interface Printing {
  kind: Kind;
  /** One object was asked for by name, rather than a list. */
  single: boolean;
  headers: boolean;
  /** Of all namespaces: the table shows which. */
  namespaces: boolean;
  now: number;
}

/** `format` is the value of `--output`; empty for the default table. */
export function render(objects: readonly KubeObject[], format: string, options: Printing): string {
  const [name, argument = ''] = split(format);
  const list = (items: readonly KubeObject[]) => ({ apiVersion: 'v1', kind: 'List', items, metadata: {} });
  const root = options.single ? objects[0] : list(objects);
  const shown = () => {
    const items = objects.map(withoutManagedFields);
    return options.single ? items[0] : list(items);
  };
  switch (name) {
    case '':
    case 'wide':
      return table(objects, name === 'wide', options);
    case 'json':
      return `${JSON.stringify(shown(), undefined, 4)}\n`;
    case 'yaml':
      return stringify(shown());
    case 'name':
      return objects.map(({ metadata }) => `${qualified(options.kind)}/${metadata.name}\n`).join('');
    case 'jsonpath':
      try {
        return evaluate(argument, root);
      } catch (error) {
        throw error instanceof JsonPathError ? new FormatError(error.message) : error;
      }
    case 'custom-columns':
      return customColumns(objects, argument, options.headers);
    default:
      throw new FormatError(`the model of kubectl has no output format ${format}`);
  }
}

function split(format: string): [string, string?] {
  const at = format.indexOf('=');
  return at < 0 ? [format] : [format.slice(0, at), format.slice(at + 1)];
}

function customColumns(objects: readonly KubeObject[], specification: string, headers: boolean): string {
  const columns = specification.split(',').map((column) => {
    const at = column.indexOf(':');
    if (at < 1) throw new FormatError(`unexpected custom-columns spec: ${column}, expected <header>:<json-path-expr>`);
    return { header: column.slice(0, at), path: column.slice(at + 1).replace(/^\{(.*)\}$/, '$1') };
  });
  try {
    const rows = objects.map((object) =>
      columns.map(({ path }) => {
        const values = valuesAt(object, path);
        return values.length === 0 ? '<none>' : values.map(print).join(',');
      }),
    );
    return align(headers ? [columns.map(({ header }) => header), ...rows] : rows);
  } catch (error) {
    throw error instanceof JsonPathError ? new FormatError(error.message) : error;
  }
}

function table(objects: readonly KubeObject[], wide: boolean, { kind, headers, namespaces, now }: Printing): string {
  const columns = columnsOf(kind).filter((column) => wide || !column.wide);
  if (namespaces && kind.namespaced) {
    columns.unshift({ header: 'NAMESPACE', value: ({ metadata }) => metadata.namespace ?? '' });
  }
  const rows = objects.map((object) => columns.map(({ value }) => value(object, now)));
  return align(headers ? [columns.map(({ header }) => header), ...rows] : rows);
}

/** Columns three spaces apart, as kubectl's tab writer does. */
function align(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)) + 3);
  const last = widths.length - 1;
  return rows
    .map((row) => `${row.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column]!))).join('')}\n`)
    .join('');
}
