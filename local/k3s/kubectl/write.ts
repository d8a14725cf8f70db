/** `kubectl apply` and `kubectl create`, of files. */
import { warningsAbout } from '../admission';
import { type Api, NoMatch } from '../api';
import { UsageError } from '../arguments';
import { qualified } from '../kinds';
import type { KubeObject } from '../objects';
import { type Call, connect, input, namespaceOf, type Outcome } from './call';
import { documents } from './documents';
import { messageOf } from './failure';

/** kubectl's own name among the managers of fields. */
const MANAGER = 'kubectl';

export async function write(call: Call, one: (api: Api, object: KubeObject, call: Call) => string): Promise<Outcome> {
  if (call.args.positional.length > 0) throw new UsageError(`unexpected args: ${call.args.positional.join(' ')}`);
  const { name, text } = input(call);
  const objects = documents(name, text);
  const { api } = await connect(call);
  let stdout = '';
  let stderr = '';
  let warnings = '';
  for (const object of objects) {
    try {
      const kind = api.kind(object.apiVersion, object.kind);
      const { metadata } = object;
      const namespace = kind.namespaced ? (metadata.namespace ?? namespaceOf(call)) : undefined;
      const placed = { ...object, metadata: { ...metadata, namespace } };
      stdout += `${qualified(kind)}/${metadata.name} ${one(api, placed, call)}\n`;
      warnings += warningsAbout(api, placed)
        .map((warning) => `Warning: ${warning}\n`)
        .join('');
    } catch (error) {
      stderr += `${failureOf(object, name, error)}\n`;
    }
  }
  return { stdout, stderr, warnings };
}

function failureOf(object: KubeObject, file: string, error: unknown): string {
  if (!(error instanceof NoMatch)) return messageOf(error);
  const { name, namespace = '' } = object.metadata;
  const mapping = `resource mapping not found for name: "${name}" namespace: "${namespace}" from "${file}"`;
  return `${mapping}: ${error.message}\nensure CRDs are installed first`;
}

export function applyOne(api: Api, object: KubeObject, { args }: Call): string {
  if (args.flags.get('server-side') !== 'true') {
    const before = api.get(object.kind, object.metadata.name, object.metadata.namespace);
    const after = api.apply(object, MANAGER);
    if (!before) return 'created';
    return before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'configured';
  }
  api.apply(object, MANAGER);
  return 'serverside-applied';
}

export function createOne(api: Api, object: KubeObject): string {
  api.create(object);
  return 'created';
}
