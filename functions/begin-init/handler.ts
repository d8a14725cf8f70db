import { ClusterRecords } from '../aws/cluster-record';
import { Commands } from '../aws/commands';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import { beginInit } from './begin-init';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, now }) => {
  const table = new Table(client, env.TABLE);
  const deps = {
    k3sVersion: env.K3S_VERSION,
    leases: new Leases(table),
    records: new ClusterRecords(table),
    slots: new Slots(table),
    instances: new Instances(client, env.CLUSTER),
    commands: new Commands(client),
    now,
  };
  return (input, log) => beginInit(input, deps, log);
});
export const handler = serve(wire);
