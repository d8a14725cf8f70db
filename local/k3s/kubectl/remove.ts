/** `kubectl delete`, of files, by name or by selectors. */
import type { Api } from '../api';
import { seconds, UsageError } from '../arguments';
import { type Kind, qualified } from '../kinds';
import { fieldSelector, labelSelector } from '../selectors';
import { type Call, connect, Failed, input, namespaceOf, type Outcome, REFUSED, targets } from './call';
import { documents } from './documents';

interface Doomed {
  kind: Kind;
  name: string;
  /** Absent: the command's. */
  namespace?: string;
}

export async function remove(call: Call): Promise<Outcome> {
  const { args, machine, context } = call;
  const { flags } = args;
  const selects = flags.has('selector') || flags.has('field-selector');
  const lenient = flags.get('ignore-not-found') === 'true' || selects;
  const file = flags.has('filename') ? input(call) : undefined;
  const wanted = file ? documents(file.name, file.text) : undefined;
  const { api, server } = await connect(call);
  const doomed = wanted
    ? wanted.map(
        ({ apiVersion, kind, metadata }): Doomed => ({
          kind: api.kind(apiVersion, kind),
          name: metadata.name,
          namespace: metadata.namespace,
        }),
      )
    : targets(args).flatMap(({ kind, names }) => {
        if (!api.serves(kind)) throw new UsageError(`the server doesn't have a resource type "${kind.plural}"`);
        if (selects && names.length > 0) throw new UsageError('name cannot be provided when a selector is specified');
        if (selects) return selected(call, api, kind);
        if (names.length === 0) throw new UsageError('resource(s) were provided, but no name was specified');
        return names.map((name): Doomed => ({ kind, name }));
      });
  // kubectl says so on stderr and still succeeds.
  if (selects && doomed.length === 0) return { stdout: '', warnings: 'No resources found\n' };
  let stdout = '';
  const deadline = seconds(flags.get('timeout') ?? '0') * 1000;
  const began = machine.model.world.clock.now();
  for (const { kind, name, namespace: given } of doomed) {
    const namespace = kind.namespaced ? (given ?? namespaceOf(call)) : undefined;
    if (lenient && !api.get(kind.kind, name, namespace)) continue;
    api.delete(kind, name, namespace);
    stdout += `${qualified(kind)} "${name}" deleted\n`;
    if (flags.get('wait') === 'false') continue;
    while (api.get(kind.kind, name, namespace)) {
      if (deadline > 0 && machine.model.world.clock.now() - began >= deadline) {
        return { stdout, stderr: `error: timed out waiting for the condition on ${kind.plural}/${name}\n` };
      }
      await machine.pause(1000, context.signal);
      if (!server.cluster!.serves(server)) throw new Failed(REFUSED('127.0.0.1:6443'));
    }
  }
  return { stdout };
}

/** In the command's namespace, or in all of them. */
function selected(call: Call, api: Api, kind: Kind): Doomed[] {
  const { flags } = call.args;
  const everywhere = !kind.namespaced || flags.get('all-namespaces') === 'true';
  const namespace = everywhere ? undefined : namespaceOf(call);
  const [label, field] = [labelSelector(flags.get('selector')), fieldSelector(kind.kind, flags.get('field-selector'))];
  const found = api.list(kind.kind, namespace).filter((object) => label(object) && field(object));
  return found.map(({ metadata }) => ({ kind, name: metadata.name, namespace: metadata.namespace }));
}
