import { Bus } from '../aws/bus';
import { ClusterRecords } from '../aws/cluster-record';
import { Commands } from '../aws/commands';
import { Healer } from '../aws/healer';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { observe } from '../aws/observe';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import { assessCluster } from './assess-cluster';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, now, sleep }) => {
  const table = new Table(client, env.TABLE);
  const records = new ClusterRecords(table);
  const slots = new Slots(table);
  const sources = {
    records,
    slots,
    instances: new Instances(client, env.CLUSTER),
    commands: new Commands(client, env.DOCUMENT_PREFIX),
    targets: new Targets(client, env.TARGET_GROUPS),
    servers: env.SERVERS,
    now,
    sleep,
  };
  const deps = {
    cluster: env.CLUSTER,
    k3sVersion: env.K3S_VERSION,
    leases: new Leases(table),
    records,
    slots,
    healer: new Healer(table),
    bus: new Bus(client),
    observe: () => observe(sources),
    now,
  };
  return (input, log) => assessCluster(input, deps, log);
});
export const handler = serve(wire);
