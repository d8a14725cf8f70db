/** `kubectl delete`, of files or by name. */
import { seconds, UsageError } from '../arguments';
import { qualified } from '../kinds';
import { type Call, connect, Failed, input, namespaceOf, type Outcome, REFUSED, targets } from './call';
import { documents } from './documents';

export async function remove(call: Call): Promise<Outcome> {
  const { args, machine, context } = call;
  const { flags } = args;
  const lenient = flags.get('ignore-not-found') === 'true';
  const file = flags.has('filename') ? input(call) : undefined;
  const wanted = file
    ? documents(file.name, file.text).map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }))
    : undefined;
  const { api, server } = await connect(call);
  const doomed = wanted
    ? wanted.map(({ apiVersion, kind, metadata }) => ({
        kind: api.kind(apiVersion, kind),
        name: metadata.name,
        namespace: metadata.namespace,
      }))
    : targets(args).flatMap(({ kind, names }) => {
        if (names.length === 0) throw new UsageError('resource(s) were provided, but no name was specified');
        return names.map((name) => ({ kind, name, namespace: undefined }));
      });
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
