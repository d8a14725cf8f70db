import { ClusterRecords } from '../aws/cluster-record';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import { completeInit } from './complete-init';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client }) => {
  const table = new Table(client, env.TABLE);
  const deps = { leases: new Leases(table), records: new ClusterRecords(table) };
  return (input, log) => completeInit(input, deps, log);
});
export const handler = serve(wire);
