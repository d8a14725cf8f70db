/**
 * The seam between AWS and what runs on an instance: EC2 boots and kills machines, the SSM agent runs scripts on them.
 * Two hosts implement it: bash with shims in front of the K3s model, and an in-process twin of each script.
 */

export interface MachineSpec {
  instanceId: string;
  privateIp: string;
  availabilityZone: string;
  region: string;
  instanceType: string;
  architecture: 'x86_64' | 'arm64';
  /** Decoded user data. */
  userData: string;
  /** Session credentials of the instance profile's role, as the metadata service hands them out. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
}

export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** The time limit was reached and the script was killed. */
  timedOut: boolean;
}

export interface Machine {
  readonly instanceId: string;
  readonly address: string;
  /**
   * Runs a script as the SSM agent would: as root, with `environment` added to the machine's own, killed with its
   * children after `timeLimitSeconds` of AWS time, or as soon as `cancelled` aborts. Never settles while the machine
   * hangs; rejects when it is killed.
   */
  run(
    script: string,
    environment: Record<string, string>,
    timeLimitSeconds: number,
    cancelled?: AbortSignal,
  ): Promise<RunResult>;
  /** The kernel hangs: nothing answers and nothing progresses, although EC2 says running. */
  freeze(): void;
  /** Power off at once. The disk survives a stop, not a termination. */
  kill(): Promise<void>;
}

export interface MachineHost {
  /** Resolves when the kernel is up; user data then runs in the background. Booting a known id again is a reboot. */
  boot(spec: MachineSpec): Promise<Machine>;
  /** Removes what the machine left (its disk). Called when the instance is terminated. */
  erase(instanceId: string): Promise<void>;
  /** Ends everything that was started. */
  close(): Promise<void>;
}
