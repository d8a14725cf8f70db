import { ClusterRecords } from '../aws/cluster-record';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import { completeDeletion } from './complete-deletion';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, uuid }) => {
  const table = new Table(client, env.TABLE);
  const deps = {
    leases: new Leases(table),
    records: new ClusterRecords(table),
    slots: new Slots(table),
    instances: new Instances(client, env.CLUSTER),
    targets: new Targets(client, env.TARGET_GROUPS),
    uuid,
  };
  return (input, log) => completeDeletion(input, deps, log);
});
export const handler = serve(wire);
