import { ClusterRecords } from '../aws/cluster-record';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { launchServer } from './launch-server';

export const wire = connect(contract, ({ env, client, now }) => {
  const table = new Table(client, env.TABLE);
  const deps = {
    subnets: env.SUBNETS,
    launchTemplate: env.LAUNCH_TEMPLATE,
    launchTemplateVersion: env.LAUNCH_TEMPLATE_VERSION,
    instanceTypes: env.INSTANCE_TYPES,
    leases: new Leases(table),
    records: new ClusterRecords(table),
    slots: new Slots(table),
    instances: new Instances(client, env.CLUSTER),
    now,
  };
  return (input, log) => launchServer(input, deps, log);
});
export const handler = serve(wire);
