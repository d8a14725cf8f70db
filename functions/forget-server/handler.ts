import { ClusterRecords } from '../aws/cluster-record';
import { Leases } from '../aws/lease';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { forgetServer } from './forget-server';

export const wire = connect(contract, ({ env, client, now }) => {
  const table = new Table(client, env.TABLE);
  const deps = { leases: new Leases(table), records: new ClusterRecords(table), slots: new Slots(table), now };
  return (input, log) => forgetServer(input, deps, log);
});
export const handler = serve(wire);
