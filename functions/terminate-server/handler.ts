import { ClusterRecords } from '../aws/cluster-record';
import { Commands } from '../aws/commands';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { observe } from '../aws/observe';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { terminateServer } from './terminate-server';

export const wire = connect(contract, ({ env, client, now, sleep }) => {
  const table = new Table(client, env.TABLE);
  const records = new ClusterRecords(table);
  const slots = new Slots(table);
  const instances = new Instances(client, env.CLUSTER);
  const sources = {
    records,
    slots,
    instances,
    commands: new Commands(client, env.DOCUMENT_PREFIX),
    targets: new Targets(client, env.TARGET_GROUPS),
    servers: env.SERVERS,
    now,
    sleep,
  };
  const deps = { leases: new Leases(table), records, slots, instances, observe: () => observe(sources) };
  return (input, log) => terminateServer(input, deps, log);
});
export const handler = serve(wire);
