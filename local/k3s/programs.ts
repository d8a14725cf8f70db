/** The programs the model puts on a machine: `k3s`, `systemctl`, `journalctl`, and `kubectl` as K3s' link. */
import { createHash } from 'node:crypto';
import { parseArguments, UsageError } from './arguments';
import type { CommandResult, Commands, MachineContext } from './command';
import { kubectl } from './kubectl';
import type { ServerMachine } from './machine';
import { clusterReset, etcdSnapshot } from './maintenance';
import { BINARY, releaseOf } from './release';
import { UNIT, UNIT_FILE, WANTED } from './systemd';

type Find = (context: MachineContext) => ServerMachine;

export function programs(find: Find): Commands {
  return {
    k3s: (context, args, stdin) => k3s(find(context), context, args, stdin),
    kubectl: (context, args, stdin) => k3s(find(context), context, ['kubectl', ...args], stdin),
    systemctl: (context, args) => understood('systemctl', 1, () => systemctl(find(context), args)),
    journalctl: (context, args) => understood('journalctl', 1, async () => journalctl(find(context), args)),
  };
}

async function k3s(
  machine: ServerMachine,
  context: MachineContext,
  [command = '', ...args]: readonly string[],
  stdin: string,
): Promise<CommandResult> {
  const release = releaseOf(machine.files.read(BINARY));
  if (!release) return result(127, '', 'k3s: command not found\n');
  switch (command) {
    case '--version':
    case '-v': {
      const commit = createHash('sha256').update(release.version).digest('hex').slice(0, 8);
      return result(0, `k3s version ${release.version} (${commit})\n`);
    }
    case 'kubectl':
      return kubectl(machine, context, args, stdin);
    case 'etcd-snapshot':
      return etcdSnapshot(machine, args, context.signal);
    case 'server':
      return clusterReset(machine, args, context.signal);
    default:
      return result(1, '', `the model of K3s has no command ${command}\n`);
  }
}

const SYSTEMCTL = { 'no-block': true, 'no-pager': true, now: true, quiet: true, signal: false } as const;

async function systemctl(machine: ServerMachine, argv: readonly string[]): Promise<CommandResult> {
  const { positional, flags } = parseArguments(argv, SYSTEMCTL, { q: 'quiet', s: 'signal' });
  const [verb = '', ...names] = positional;
  if (verb === 'daemon-reload' && names.length === 0) return result(0);
  const action = ACTIONS[verb];
  if (!action) throw new UsageError(`the model of systemd has no verb ${verb}`);
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw new UsageError(`${verb} wants exactly one unit`);
  const full = name.includes('.') ? name : `${name}.service`;
  if (full !== UNIT) throw new UsageError(`the model of systemd has the unit ${UNIT} only, not ${full}`);
  const outcome = await action(machine, flags);
  return flags.has('quiet') ? { ...outcome, stdout: '' } : outcome;
}

type Action = (machine: ServerMachine, flags: ReadonlyMap<string, string>) => CommandResult | Promise<CommandResult>;

/** Exit codes: systemctl(1), and the LSB ones it takes over for status verbs. */
const ACTIONS: Record<string, Action> = {
  start,
  restart: async (machine, flags) => {
    const stopped = machine.unit.stop();
    if (flags.has('no-block')) {
      void stopped.then(() => machine.alive() && machine.unit.start());
      return result(0);
    }
    await stopped;
    return start(machine, flags);
  },
  stop: async (machine, flags) => {
    const stopped = machine.unit.stop();
    if (!flags.has('no-block')) await stopped;
    return result(0);
  },
  kill: (machine, flags) => {
    const signal = flags.get('signal') ?? 'SIGTERM';
    if (!['KILL', 'SIGKILL', '9'].includes(signal))
      throw new UsageError(`the model of systemd does not send ${signal}`);
    machine.unit.crash();
    return result(0);
  },
  enable: (machine, flags) => {
    if (!machine.unit.installed) return result(1, '', `Failed to enable unit: Unit file ${UNIT} does not exist.\n`);
    if (!machine.unit.enabled) machine.files.write(WANTED, machine.files.read(UNIT_FILE) ?? '');
    return flags.has('now') ? start(machine, flags) : result(0);
  },
  disable: async (machine, flags) => {
    machine.files.remove(WANTED);
    if (flags.has('now')) await machine.unit.stop();
    return result(0);
  },
  'reset-failed': (machine) => {
    if (machine.unit.state === 'failed') machine.unit.state = 'inactive';
    return result(0);
  },
  'is-active': ({ unit: { state } }) => result(state === 'active' ? 0 : 3, `${state}\n`),
  'is-failed': ({ unit: { state } }) => result(state === 'failed' ? 0 : 1, `${state}\n`),
  'is-enabled': ({ unit }) => {
    if (!unit.installed) return result(1, '', `Failed to get unit file state for ${UNIT}: No such file or directory\n`);
    return unit.enabled ? result(0, 'enabled\n') : result(1, 'disabled\n');
  },
  status: ({ unit, journal }) => {
    if (!unit.installed) return result(4, '', `Unit ${UNIT} could not be found.\n`);
    const lines = journal.read({ lines: 10 }).map(({ identifier, message }) => `${identifier}: ${message}\n`);
    const text = `${UNIT} - Lightweight Kubernetes\n     Loaded: loaded (${UNIT_FILE})\n     Active: ${unit.state}\n\n`;
    return result(unit.state === 'active' ? 0 : 3, `${text}${lines.join('')}`);
  },
};

/** Without --no-block it waits until K3s says it is ready: for ever when the join is stuck (TimeoutStartSec=0). */
async function start({ unit }: ServerMachine, flags: ReadonlyMap<string, string>): Promise<CommandResult> {
  if (!unit.installed) return result(5, '', `Failed to start ${UNIT}: Unit ${UNIT} not found.\n`);
  unit.start();
  if (flags.has('no-block')) return result(0);
  if (await unit.started()) return result(0);
  const hint = `See "systemctl status ${UNIT}" and "journalctl -xeu ${UNIT}" for details.`;
  return result(1, '', `Job for ${UNIT} failed because the control process exited with error code.\n${hint}\n`);
}

const JOURNALCTL = { boot: true, lines: false, 'no-pager': true, output: false, since: false, unit: false } as const;

function journalctl(machine: ServerMachine, argv: readonly string[]): CommandResult {
  const { positional, flags } = parseArguments(argv, JOURNALCTL, { n: 'lines', o: 'output', u: 'unit' });
  if (positional.length > 0) throw new UsageError(`the model of journald does not match ${positional[0]}`);
  if (flags.has('boot')) throw new UsageError('the model of journald has no --boot');
  const unit = flags.get('unit');
  if (unit !== UNIT && `${unit}.service` !== UNIT)
    throw new UsageError(`the model of journald has the unit ${UNIT} only`);
  const since = flags.get('since');
  if (since !== undefined && !/^@\d+$/.test(since)) {
    throw new UsageError(`the model of journald takes --since=@<epoch seconds>, not ${since}`);
  }
  const lines = flags.get('lines');
  if (lines !== undefined && !/^\d+$/.test(lines)) throw new UsageError(`Failed to parse lines '${lines}'`);
  const output = flags.get('output') ?? 'short';
  if (output !== 'cat' && output !== 'short') throw new UsageError(`the model of journald has no output ${output}`);
  const entries = machine.journal.read({
    since: since === undefined ? undefined : Number(since.slice(1)) * 1000,
    lines: lines === undefined ? undefined : Number(lines),
  });
  if (entries.length === 0) return result(0, '-- No entries --\n');
  const host = machine.hostname.split('.')[0];
  const text = entries.map(({ at, identifier, message }) => {
    if (output === 'cat') return `${message}\n`;
    const [, , day, month, , time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString()) ?? [];
    return `${month} ${day} ${time} ${host} ${identifier}: ${message}\n`;
  });
  return result(0, text.join(''));
}

async function understood(program: string, code: number, run: () => Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UsageError) return result(code, '', `${program}: ${error.message}\n`);
    throw error;
  }
}

function result(exitCode: number, stdout = '', stderr = ''): CommandResult {
  return { exitCode, stdout, stderr };
}
