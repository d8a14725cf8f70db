/** What changes a part of an object: `patch`, `annotate`, `label`, `cordon`, `uncordon`. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Api } from '../api';
import { UsageError } from '../arguments';
import { type Kind, qualified } from '../kinds';
import { type Call, connect, Failed, namespaceOf, type Outcome, targets } from './call';

export async function patch(call: Call): Promise<Outcome> {
  const { flags } = call.args;
  const text = flags.get('patch');
  if (text === undefined)
    throw new UsageError('must specify --patch or --patch-file containing the contents of the patch');
  const type = flags.get('type') ?? 'strategic';
  if (type !== 'merge') throw new UsageError(`the model of kubectl patches with --type=merge only, not ${type}`);
  const content = z.record(z.string(), z.unknown()).safeParse(parse(text));
  if (!content.success) throw new UsageError('unable to parse the patch: not an object');
  return each(call, 'patched', (api, kind, name, namespace) => api.patch(kind, name, namespace, content.data));
}

export async function assign(call: Call, field: 'annotations' | 'labels', done: string): Promise<Outcome> {
  const { positional, flags } = call.args;
  const isChange = (arg: string) => /^[^=]+=/.test(arg) || /^[^=]+-$/.test(arg);
  const changes = positional.filter((arg, index) => index > 0 && isChange(arg));
  if (changes.length === 0) throw new UsageError(`at least one ${field.slice(0, -1)} update is required`);
  const values = new Map<string, string | null>();
  for (const change of changes) {
    const at = change.indexOf('=');
    if (at < 0) values.set(change.slice(0, -1), null);
    else values.set(change.slice(0, at), change.slice(at + 1));
  }
  const rest = { ...call, args: { ...call.args, positional: positional.filter((arg) => !changes.includes(arg)) } };
  return each(rest, done, (api, kind, name, namespace) => {
    const present = api.require(kind, name, namespace).metadata[field] ?? {};
    for (const [key, value] of values) {
      const before = present[key];
      if (value === null || before === undefined || before === value || flags.get('overwrite') === 'true') continue;
      throw new Failed(`error: '${key}' already has a value (${before}), and --overwrite is false`);
    }
    api.patch(kind, name, namespace, { metadata: { [field]: Object.fromEntries(values) } });
  });
}

export async function setUnschedulable(call: Call, unschedulable: boolean): Promise<Outcome> {
  const { positional } = call.args;
  const nodes = { ...call, args: { ...call.args, positional: ['node', ...positional] } };
  return each(nodes, unschedulable ? 'cordoned' : 'uncordoned', (api, kind, name) =>
    api.patch(kind, name, undefined, { spec: { unschedulable: unschedulable ? true : null } }),
  );
}

async function each(
  call: Call,
  done: string,
  change: (api: Api, kind: Kind, name: string, namespace: string | undefined) => unknown,
): Promise<Outcome> {
  const { api } = await connect(call);
  let stdout = '';
  for (const { kind, names } of targets(call.args)) {
    if (names.length === 0) throw new UsageError('name is required');
    for (const name of names) {
      change(api, kind, name, kind.namespaced ? namespaceOf(call) : undefined);
      stdout += `${qualified(kind)}/${name} ${done}\n`;
    }
  }
  return { stdout };
}
