/** `kubectl get`, with selectors, output formats and raw paths. */
import { ApiError } from '../api';
import { getObject, listObjects } from '../apiserver/resources';
import { UsageError } from '../arguments';
import { kindTyped, resource } from '../kinds';
import type { KubeObject } from '../objects';
import { render } from '../printers';
import { fieldSelector, labelSelector } from '../selectors';
import type { ServerProcess } from '../server';
import { type Call, connect, namespaceOf, type Outcome, targets } from './call';

export async function get(call: Call): Promise<Outcome> {
  const { args, machine } = call;
  const { flags } = args;
  const raw = flags.get('raw');
  if (raw !== undefined) {
    const { server } = await connect(call);
    return { stdout: rawPath(server, raw) };
  }
  const [{ kind, names }, ...more] = targets(args);
  if (more.length > 0) throw new UsageError('the model of kubectl gets one resource type at a time');
  const { server } = await connect(call);
  const cluster = server.cluster!;
  if (!cluster.api.serves(kind)) throw new UsageError(`the server doesn't have a resource type "${kind.plural}"`);
  const all = flags.get('all-namespaces') === 'true';
  const namespace = kind.namespaced && !all ? namespaceOf(call) : undefined;
  const lenient = flags.get('ignore-not-found') === 'true';
  let objects: KubeObject[];
  if (names.length > 0) {
    const found = names.map((name) => {
      const object = getObject(cluster, kind, name, namespace);
      if (!object && !lenient) throw new ApiError('NotFound', `${resource(kind)} "${name}" not found`);
      return object;
    });
    objects = found.filter((object) => object !== undefined);
    if (objects.length === 0) return { stdout: '' };
  } else {
    const selector = labelSelector(flags.get('selector'));
    const field = fieldSelector(kind.kind, flags.get('field-selector'));
    objects = listObjects(cluster, kind, namespace).filter((object) => selector(object) && field(object));
    const format = flags.get('output') ?? '';
    if (objects.length === 0 && (format === '' || format === 'wide')) {
      const where = namespace === undefined ? '' : ` in ${namespace} namespace`;
      // kubectl says so on stderr and still succeeds.
      return { stdout: lenient ? '' : `No resources found${where}.\n` };
    }
  }
  const { clock } = machine.model.world;
  return {
    stdout: render(objects, flags.get('output') ?? '', {
      kind,
      single: names.length === 1,
      headers: flags.get('no-headers') !== 'true',
      namespaces: all,
      now: clock.now(),
    }),
  };
}

function rawPath(server: ServerProcess, path: string): string {
  if (path === '/readyz' || path === '/healthz' || path === '/livez') return 'ok';
  if (path === '/version') return `${JSON.stringify({ gitVersion: server.release.version })}\n`;
  const kind = /^\/api\/v1\/([a-z]+)$/.exec(path)?.[1];
  const known = kind === undefined ? undefined : kindTyped(kind);
  if (!known) throw new UsageError(`the model of kubectl has no raw path ${path}`);
  return JSON.stringify({ apiVersion: 'v1', kind: `${known.kind}List`, items: server.cluster!.api.list(known.kind) });
}
