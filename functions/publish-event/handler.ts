import { Bus } from '../aws/bus';
import { ClusterRecords } from '../aws/cluster-record';
import { Healer } from '../aws/healer';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { publishEvent } from './publish-event';

export const wire = connect(contract, ({ env, client, now }) => {
  const table = new Table(client, env.TABLE);
  const deps = {
    cluster: env.CLUSTER,
    records: new ClusterRecords(table),
    slots: new Slots(table),
    healer: new Healer(table),
    bus: new Bus(client),
    now,
  };
  return (input, log) => publishEvent(input, deps, log);
});
export const handler = serve(wire);
