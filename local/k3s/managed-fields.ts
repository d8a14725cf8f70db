/**
 * What server-side apply remembers of an object: the fields that its manager set. A field that it set before and does not
 * set any more goes (https://kubernetes.io/docs/reference/using-api/server-side-apply/). The model takes every list as a whole,
 * and lets the last manager win, as with --force-conflicts.
 */
import { z } from 'zod';
import type { KubeObject } from './objects';

/** `{"f:spec": {"f:replicas": {}}}`, as in `metadata.managedFields[].fieldsV1`. */
interface Fields {
  [name: string]: Fields;
}

const Fields: z.ZodType<Fields> = z.lazy(() => z.record(z.string(), Fields));
const Managed = z.looseObject({
  managedFields: z.array(z.looseObject({ manager: z.string(), operation: z.string(), fieldsV1: Fields })).default([]),
});

/** What identifies an object is nobody's. */
const IDENTITY = new Set(['apiVersion', 'kind', 'name', 'namespace']);

type Values = Record<string, unknown>;

/** The stored object without what its manager set before and does not set now, and the note of what it sets now. */
export function released(previous: KubeObject, applied: KubeObject, manager: string): Values {
  const before = managersOf(previous).find((entry) => entry.manager === manager);
  return without({ ...previous }, before?.fieldsV1 ?? {}, fieldsOf(applied));
}

/** What `metadata.managedFields` says when a manager has applied an object. */
export function managedBy(previous: KubeObject | undefined, applied: KubeObject, manager: string): unknown[] {
  const others = previous ? managersOf(previous).filter((entry) => entry.manager !== manager) : [];
  return [...others, { manager, operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: fieldsOf(applied) }];
}

/** As kubectl shows an object, unless it is asked for them. */
export function withoutManagedFields({ metadata, ...object }: KubeObject): KubeObject {
  const { managedFields: _, ...shown } = metadata;
  return { ...object, metadata: shown, apiVersion: object.apiVersion, kind: object.kind };
}

const managersOf = ({ metadata }: KubeObject) => Managed.parse(metadata).managedFields;

function fieldsOf(value: unknown): Fields {
  if (!isMap(value)) return {};
  const named = Object.entries(value).filter(([key, inner]) => !IDENTITY.has(key) && inner !== undefined);
  return Object.fromEntries(named.map(([key, inner]) => [`f:${key}`, fieldsOf(inner)]));
}

function without(values: Values, before: Fields, now: Fields): Values {
  const result = { ...values };
  for (const [field, inner] of Object.entries(before)) {
    const key = field.slice(2);
    const value = result[key];
    const kept = now[field];
    if (isMap(value) && Object.keys(inner).length > 0) {
      const rest = without(value, inner, kept ?? {});
      if (Object.keys(rest).length > 0 || kept) result[key] = rest;
      else delete result[key];
    } else if (!kept) delete result[key];
  }
  return result;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
