/** `k3s etcd-snapshot` and `k3s server --cluster-reset`: what a person does before and after the loss of a quorum. */
import { parseArguments, UsageError } from './arguments';
import { Cluster } from './cluster';
import type { CommandResult } from './command';
import { ConfigError, readConfig, type ServerConfig } from './config';
import type { ServerMachine } from './machine';
import type { KubeObject } from './objects';
import { memberName, RESET_FLAG, SERVER_DIR, storedMember, storeMember, writeIdentity } from './server/disk';
import { passwordOf } from './server/token';
import { packSnapshot, unpackSnapshot } from './snapshot';

export const SNAPSHOTS = `${SERVER_DIR}/db/snapshots`;

const PREPARING = 'starting kubernetes: preparing server: ';
/** Measured 2026-11-22: 8 s for a reset, 6 s for a restore, under a second for a snapshot. */
const TAKES = { reset: 8_000, restore: 6_000, snapshot: 700 };

/** K3s logs and exits with 1. */
class Fatal extends Error {
  override readonly name = 'Fatal';
}

/** `etcd-snapshot [save] [--name x]`, `etcd-snapshot ls`. */
export async function etcdSnapshot(
  machine: ServerMachine,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<CommandResult> {
  return logged(machine, async (log) => {
    const { positional, flags } = parseArguments(argv, { name: false });
    const [action = 'save', ...extra] = positional;
    if (extra.length > 0) throw new UsageError(`unexpected argument ${extra[0]}`);
    const { world } = machine.model;
    if (action === 'ls' || action === 'list') {
      const rows = machine.files.list(SNAPSHOTS).map((name) => {
        const size = (machine.files.read(`${SNAPSHOTS}/${name}`) ?? '').length;
        const at = new Date(Number(name.slice(name.lastIndexOf('-') + 1)) * 1000).toISOString();
        return `${name} file://${SNAPSHOTS}/${name} ${size} ${at.slice(0, 19)}Z`;
      });
      return ['Name Location Size Created', ...rows, ''].join('\n');
    }
    if (action !== 'save') throw new UsageError(`the model of K3s has no etcd-snapshot ${action}`);
    const server = machine.unit.process;
    if (!server?.cluster?.serves(server)) {
      throw new Fatal('see server log for details: https://127.0.0.1:6443/db/snapshot: connection refused');
    }
    await machine.pause(TAKES.snapshot, signal);
    const seconds = Math.floor(world.clock.now() / 1000);
    const file = `${flags.get('name') ?? 'on-demand'}-${server.nodeName}-${seconds}`;
    machine.files.write(`${SNAPSHOTS}/${file}`, packSnapshot(server.cluster, world.random), 0o600);
    log('info', `Snapshot ${file} saved.`);
    return '';
  });
}

/** Exit 0: the machine's disk holds a cluster of one member now, and K3s is to be started without the flag. */
export async function clusterReset(
  machine: ServerMachine,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<CommandResult> {
  return logged(machine, async (log) => {
    const { files } = machine;
    const config = readConfig(files, argv, {});
    if (!config.clusterReset) throw new Fatal('the model of K3s runs a server from its unit only: systemctl start k3s');
    if (config.server !== undefined) {
      throw new Fatal(
        'cannot perform cluster-reset while server URL is set - remove server from configuration before resetting',
      );
    }
    if (machine.unit.process) throw new Fatal('listen tcp :6443: bind: address already in use');
    if (config.restorePath !== undefined) {
      await machine.pause(TAKES.restore, signal);
      restore(machine, config, config.restorePath);
    } else {
      await machine.pause(TAKES.reset, signal);
      reset(machine, config);
    }
    log(
      'info',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: K3s prints it so.
      'Etcd is running, restart without --cluster-reset flag now. Backup and delete ${datadir}/server/db on each peer ' +
        'etcd server and rejoin the nodes',
    );
    return '';
  });
}

function reset(machine: ServerMachine, config: ServerConfig): void {
  const { files, model } = machine;
  const stored = storedMember(machine);
  const cluster = stored && model.clusters.get(stored.cluster);
  if (!stored || !cluster) throw new Fatal(`${PREPARING}there is no etcd data to reset in ${SERVER_DIR}/db/etcd`);
  if (files.read(RESET_FLAG) !== undefined) {
    throw new Fatal(
      `${PREPARING}start managed database: Managed etcd cluster membership was previously reset, please remove the ` +
        'cluster-reset flag and start k3s normally. If you need to perform another cluster reset, you must first ' +
        `manually delete the ${RESET_FLAG} file`,
    );
  }
  become(machine, config, new Cluster(model, cluster.identity, cluster.etcd.dataOf(stored.member)));
}

function restore(machine: ServerMachine, config: ServerConfig, path: string): void {
  const { files, model } = machine;
  const text = files.read(path);
  if (text === undefined) {
    throw new Fatal(`${PREPARING}start managed database: etcd: snapshot path does not exist: ${path}`);
  }
  const token = config.token ?? files.read(`${SERVER_DIR}/token`)?.trim();
  const restored = token === undefined ? undefined : unpackSnapshot(text, passwordOf(token).password);
  if (!restored) {
    throw new Fatal(`${PREPARING}bootstrap data already found and encrypted with different token`);
  }
  files.remove(`${SERVER_DIR}/db/etcd`);
  const data: ReadonlyMap<string, KubeObject> = restored.data;
  become(machine, config, new Cluster(model, restored.identity, data));
}

function become(machine: ServerMachine, config: ServerConfig, cluster: Cluster): void {
  const member = cluster.etcd.bootstrap(
    memberName(machine, config.nodeName ?? machine.hostname, true),
    machine.address,
  );
  storeMember(machine, cluster, member);
  writeIdentity(machine, cluster);
  machine.files.write(RESET_FLAG, '', 0o600);
}

type Log = (level: 'info' | 'fatal', message: string) => void;

/** Runs in the foreground: K3s' log goes to stderr. */
async function logged(machine: ServerMachine, run: (log: Log) => Promise<string>): Promise<CommandResult> {
  let stderr = '';
  const log: Log = (level, message) => {
    const time = `${new Date(machine.model.world.clock.now()).toISOString().slice(0, 19)}Z`;
    stderr += `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
  };
  try {
    const stdout = await run(log);
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    if (!(error instanceof Fatal || error instanceof UsageError || error instanceof ConfigError)) throw error;
    log('fatal', error.message);
    return { exitCode: 1, stdout: '', stderr };
  }
}
