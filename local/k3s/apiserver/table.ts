/**
 * Objects as a table, which is how kubectl asks for what it prints
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables).
 */
import { columnsOf } from '../columns';
import type { Kind } from '../kinds';
import type { KubeObject } from '../objects';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Whether an Accept header prefers a table. */
export function wantsTable(accept: string): boolean {
  const [first = ''] = accept.split(',');
  return /;\s*as=Table\b/.test(first) && /;\s*v=v1\b/.test(first);
}

export function tableOf(
  kind: Kind,
  objects: readonly KubeObject[],
  options: { include: IncludeObject; now: number; revision: number },
) {
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: String(options.revision) },
    columnDefinitions: columns.map(({ header, wide }) => ({
      name: header,
      type: 'string',
      format: header === 'NAME' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ value }) => value(object, options.now)),
      ...(options.include !== 'None' && { object: options.include === 'Object' ? object : partial(object) }),
    })),
  };
}

function partial({ metadata }: KubeObject) {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
