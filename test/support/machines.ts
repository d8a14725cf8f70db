import type { Machine, MachineHost, MachineSpec } from '../../local/machine';

/** A host whose machines do nothing; it remembers what was asked of them. */
export class IdleHost implements MachineHost {
  readonly booted: MachineSpec[] = [];
  readonly killed: string[] = [];
  readonly erased: string[] = [];
  readonly frozen: string[] = [];

  async boot(spec: MachineSpec): Promise<Machine> {
    this.booted.push(spec);
    return {
      instanceId: spec.instanceId,
      address: spec.privateIp,
      run: () => Promise.reject(new Error('an idle machine runs nothing')),
      freeze: () => {
        this.frozen.push(spec.instanceId);
      },
      kill: async () => {
        this.killed.push(spec.instanceId);
      },
    };
  }

  async erase(instanceId: string): Promise<void> {
    this.erased.push(instanceId);
  }

  async close(): Promise<void> {}
}
