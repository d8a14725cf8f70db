import type { Machine } from '../../../functions/aws/instances';

/** An instance of server-0 that runs. */
export function machine(instanceId: string, fields: Partial<Machine> = {}): Machine {
  return {
    instanceId,
    state: 'running',
    tags: { slot: 0, generation: 1 },
    instanceType: 't4g.medium',
    availabilityZone: 'eu-west-3a',
    privateIp: '10.0.0.1',
    launchedAt: 0,
    stateReason: null,
    ...fields,
  };
}
