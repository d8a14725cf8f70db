import { ClusterRecords } from '../aws/cluster-record';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { markAbsent } from './mark-absent';

export const wire = connect(contract, ({ env, client, uuid }) => {
  const table = new Table(client, env.TABLE);
  const deps = { leases: new Leases(table), records: new ClusterRecords(table), uuid };
  return (input, log) => markAbsent(input, deps, log);
});
export const handler = serve(wire);
