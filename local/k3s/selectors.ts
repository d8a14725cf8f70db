/** Label and field selectors as texts, as a person types them and as the API takes them. */
import { print, valuesAt } from './jsonpath';
import type { KubeObject } from './objects';

/** A selector that Kubernetes refuses, or a field that it does not select by. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

type Test = (object: KubeObject) => boolean;

const SET = /^([^\s!=]+)\s+(in|notin)\s+\(([^)]*)\)$/;
const EQUALITY = /^([^\s!=]+)\s*(?:(!=|==?)\s*([^\s!=]*))?$/;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api. Throws SelectorError. */
export function labelSelector(text: string | undefined): Test {
  // Commas within parentheses separate values, not requirements.
  const requirements = (text ?? '').split(/,(?![^(]*\))/).map((requirement) => requirement.trim());
  const tests = requirements.filter(Boolean).map((requirement) => requirementOf(requirement));
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

function requirementOf(text: string): (labels: Record<string, string>) => boolean {
  const set = SET.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) =>
      values.includes(labels[key] ?? '') === (operator === 'in') && (operator === 'notin' || key in labels);
  }
  if (text.startsWith('!')) return (labels) => !(text.slice(1).trim() in labels);
  const match = EQUALITY.exec(text);
  if (!match) throw new SelectorError(`unable to parse requirement: ${text}`);
  const [, key = '', operator, value] = match;
  if (operator === undefined) return (labels) => key in labels;
  return (labels) => (labels[key] === value) !== (operator === '!=');
}

/** What a kind can be selected by besides name and namespace (the kinds' ToSelectableFields in Kubernetes). */
const FIELDS: Record<string, readonly string[]> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'status.phase', 'status.podIP'],
  Node: ['spec.unschedulable'],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Event: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.fieldPath',
    'reason',
    'type',
  ],
};

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/. Throws SelectorError. */
export function fieldSelector(kind: string, text: string | undefined): Test {
  const tests = (text ?? '')
    .split(',')
    .filter(Boolean)
    .map((requirement): Test => {
      const [, field = '', operator, value = ''] = /^([^=!]+)(!=|==?)(.*)$/.exec(requirement) ?? [];
      const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[kind] ?? [])];
      if (!known.includes(field)) throw new SelectorError(`field label not supported: ${field || requirement}`);
      return (object) => (print(valuesAt(object, `.${field}`)[0] ?? '') === value) !== (operator === '!=');
    });
  return (object) => tests.every((test) => test(object));
}
