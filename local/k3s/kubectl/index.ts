/** `kubectl` on a server, with the administrator's kubeconfig: the verbs that node scripts and people use. */
import { parseArguments, UsageError } from '../arguments';
import type { CommandResult, MachineContext } from '../command';
import type { ServerMachine } from '../machine';
import type { Call, Outcome } from './call';
import { assign, patch, setUnschedulable } from './change';
import { messageOf } from './failure';
import { get } from './get';
import { remove } from './remove';
import { applyOne, createOne, write } from './write';

const FLAGS = {
  'all-namespaces': true,
  'dry-run': false,
  'field-manager': false,
  'field-selector': false,
  filename: false,
  force: true,
  'force-conflicts': true,
  'grace-period': false,
  'ignore-not-found': true,
  namespace: false,
  'no-headers': true,
  output: false,
  overwrite: true,
  patch: false,
  raw: false,
  'request-timeout': false,
  selector: false,
  'server-side': true,
  timeout: false,
  type: false,
  wait: true,
} as const;
const SHORT = { A: 'all-namespaces', f: 'filename', l: 'selector', n: 'namespace', o: 'output', p: 'patch' };
/** Real flags that would change the outcome in ways the model does not have. */
const UNMODELLED = ['dry-run', 'force', 'grace-period'];

export async function kubectl(
  machine: ServerMachine,
  context: MachineContext,
  argv: readonly string[],
  stdin: string,
): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  try {
    const args = parseArguments(argv, FLAGS, SHORT);
    for (const flag of UNMODELLED) {
      if (args.flags.has(flag)) throw new UsageError(`the model of kubectl has no --${flag}`);
    }
    const [verb, ...positional] = args.positional;
    const run = VERBS[verb ?? ''];
    if (!run) throw new UsageError(`unknown command "${verb ?? ''}" for "kubectl"`);
    const call: Call = { machine, context, args: { ...args, positional }, stdin };
    await machine.pauseFor('k3s.kubectl', context.signal);
    const outcome = await run(call);
    stdout = outcome.stdout;
    stderr = outcome.stderr ?? '';
    const warnings = outcome.warnings ?? '';
    return { exitCode: stderr ? 1 : 0, stdout, stderr: `${warnings}${stderr}` };
  } catch (error) {
    return { exitCode: 1, stdout, stderr: `${messageOf(error)}\n` };
  }
}

const VERBS: Record<string, (call: Call) => Promise<Outcome>> = {
  get,
  apply: (call) => write(call, applyOne),
  create: (call) => write(call, createOne),
  delete: remove,
  patch,
  annotate: (call) => assign(call, 'annotations', 'annotated'),
  label: (call) => assign(call, 'labels', 'labeled'),
  cordon: (call) => setUnschedulable(call, true),
  uncordon: (call) => setUnschedulable(call, false),
  version: async ({ machine }) => {
    const server = machine.unit.process;
    return { stdout: `Client Version: ${server?.release.version ?? 'unknown'}\n` };
  },
};
