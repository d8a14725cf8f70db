import { Bus } from '../aws/bus';
import { ClusterRecords } from '../aws/cluster-record';
import { Commands } from '../aws/commands';
import { Executions } from '../aws/executions';
import { glance, remember } from '../aws/glance';
import { Healer } from '../aws/healer';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { type Deps, handleNodeEvent } from './handle-node-event';

export const wire = connect(contract, ({ env, client, now }) => {
  const table = new Table(client, env.TABLE);
  const sources = {
    instances: new Instances(client, env.CLUSTER),
    commands: new Commands(client),
    targets: new Targets(client, env.TARGET_GROUPS),
    servers: env.SERVERS,
  };
  const deps: Deps = {
    cluster: env.CLUSTER,
    stateMachine: env.STATE_MACHINE,
    remember: async () => {
      const snapshot = await table.snapshot();
      return remember({
        records: new ClusterRecords(snapshot),
        slots: new Slots(snapshot),
        leases: new Leases(snapshot),
        healer: new Healer(snapshot),
      });
    },
    glance: (remembered, at, routine) => glance(sources, remembered, at, routine),
    executions: new Executions(client),
    healer: new Healer(table),
    bus: new Bus(client),
    now,
  };
  return (input, log) => handleNodeEvent(input, deps, log);
});
export const handler = serve(wire);
