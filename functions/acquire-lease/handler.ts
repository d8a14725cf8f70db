import { ClusterRecords } from '../aws/cluster-record';
import { Commands } from '../aws/commands';
import { Executions } from '../aws/executions';
import { canceller } from '../aws/in-flight';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import { acquireLease } from './acquire-lease';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, now, uuid }) => {
  const table = new Table(client, env.TABLE);
  const commands = new Commands(client);
  const instances = new Instances(client, env.CLUSTER);
  const deps = {
    cluster: env.CLUSTER,
    leases: new Leases(table),
    records: new ClusterRecords(table),
    executions: new Executions(client),
    cancelInFlight: canceller(commands, instances),
    now,
    uuid,
  };
  return (input, log) => acquireLease(input, deps, log);
});
export const handler = serve(wire);
