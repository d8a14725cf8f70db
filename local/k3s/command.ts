/**
 * The seam between a machine and the programs that run on it. Node scripts call programs by name; a `Commands` table
 * answers them. Bash reaches the table through shims, the in-process twins call it directly, so both meet the same K3s.
 *
 * Who provides what:
 * - `local/k3s/host` provides `aws`, `curl` (metadata, downloads), `date`, `sleep`, `sysctl`, `uname`;
 * - the K3s model provides `k3s`, `systemctl`, `journalctl`, and answers the URLs that `curl` does not know (`K3sUrls`).
 *
 * What the node scripts ask of the K3s model (anything else fails loudly, naming what was not understood):
 * - `k3s --version`                      first line `k3s version <version> (<commit>)`
 * - `k3s kubectl --request-timeout=<n>s` followed by one of
 *     `get nodes --no-headers --output=custom-columns=<columns>`
 *     `get node <name> --ignore-not-found --no-headers --output=custom-columns=<columns>`
 *     `create --filename=<file>`                       one Node, YAML
 *     `delete node <name> --ignore-not-found --wait=false`
 *     `patch node <name> --type=merge --patch=<json>`  only `{"metadata":{"finalizers":null}}`
 *     `apply --server-side --force-conflicts --filename=<file>`   YAML or JSON, a stream or a List; a line per object
 *   `<columns>` is NODE_COLUMNS of `nodes/lib/common.sh`: `HEADER:<path>,…`, the paths being kubectl's
 *   (`.metadata.name`, `.metadata.deletionTimestamp`, `.metadata.annotations.etcd\.k3s\.cattle\.io/node-name` and
 *   `/node-address`, `.status.conditions[?(@.type=="Ready")].status`, the same with `EtcdIsVoter`,
 *   `.status.addresses[?(@.type=="InternalIP")].address`); columns are padded with spaces, a path without a value
 *   prints `<none>`, an empty value prints nothing. Called as `kubectl`, `crictl` or `ctr` (links to the K3s binary) the
 *   program arrives as `k3s` with that name as its first argument.
 * - `systemctl daemon-reload`, `enable|disable|reset-failed <unit>`, `start|stop|restart --no-block <unit>`,
 *   `is-active <unit>` (prints active, activating, inactive or failed; exit 0 only for active, else 3)
 * - `journalctl --unit=k3s.service --no-pager --output=cat --lines=<n> --since=@<epoch seconds>`; the journal is on disk
 *   and so survives a reboot. The messages the scripts look for are listed in `nodes/start-server.sh`
 *
 * Files the scripts write for K3s: `/etc/rancher/k3s/config.yaml` (user data) and `config.yaml.d/50-cluster.yaml`
 * (`cluster-init: true` or `server: https://<peer>:6443`, and `token-file: /etc/rancher/k3s/cluster-token`), the unit
 * `/etc/systemd/system/k3s.service`. Files they expect K3s to write, below `/var/lib/rancher/k3s/server`:
 * `tls/server-ca.crt`, and `db/etcd/member/wal/<any>` as soon as etcd has data.
 */
import type { MachineSpec } from '../machine';

/** A machine's disk: a directory of this computer or a map. Paths are absolute, as the machine itself sees them. */
export interface Files {
  /** Undefined when there is no such file. UTF-8. */
  read(path: string): string | undefined;
  /** Creates missing directories. `mode` is 0o644 unless said; a file that exists keeps its own unless said. */
  write(path: string, content: string, mode?: number): void;
  /** Removes a file, or a directory with everything in it. Nothing there is fine. */
  remove(path: string): void;
  /** Names directly below a directory, sorted; empty when there is no such directory. */
  list(directory: string): string[];
}

/** A running machine as its programs see it. Identify a machine by `spec.instanceId`, not by this object. */
export interface MachineContext {
  readonly spec: MachineSpec;
  readonly files: Files;
  /**
   * Aborted when the machine is killed: whatever it ran ends without a result. What a script's command gets is also
   * aborted when that script is killed at its time limit; a daemon lives by the signal of `onBoot`.
   */
  readonly signal: AbortSignal;
  /** Runs a program from the machine's disk without arguments, as a daemon would: 127 when there is no such file. */
  execute(path: string): Promise<CommandResult>;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program. Never rejects for what the program itself would report with an exit code; may reject with
 * `signal.reason` when it is killed while it runs. Paths among the arguments are as the machine sees them.
 * `stdin` is empty unless an argument asks for it (`-`, `@-`).
 */
export type Command = (machine: MachineContext, args: readonly string[], stdin: string) => Promise<CommandResult>;

/** By program name. */
export type Commands = Record<string, Command>;

/** A request of a node's `curl` to K3s. */
export interface UrlRequest {
  method: string;
  url: URL;
  /** Names in lower case. */
  headers: Record<string, string>;
}

/** `refused`: nothing listens there. `unreachable`: packets are lost, `curl` gives up at its own time limit. */
export type UrlAnswer = { status: number; body: string } | 'refused' | 'unreachable';

/**
 * Answers `http://127.0.0.1:2381/health` and `https://<127.0.0.1 or a peer>:6443/{ping,readyz,cacerts,db/info}`.
 * Undefined: not one of its URLs, so that `curl` fails loudly.
 */
export type K3sUrls = (machine: MachineContext, request: UrlRequest) => Promise<UrlAnswer | undefined>;

/** What the K3s model hears of machines. Calls come in order for one machine. */
export interface MachineEvents {
  /** The kernel is up. The same instance id again is a reboot; its files are as the last boot left them. */
  onBoot(machine: MachineContext): void;
  /** Power off: every process is gone, the disk remains. Follows the abort of the context's signal. */
  onKill(instanceId: string): void;
  /** The kernel hangs: nothing on the machine answers or progresses any more. */
  onFreeze(instanceId: string): void;
  /** The disk is gone. */
  onErase(instanceId: string): void;
}
