import { Alerts } from '../aws/alerts';
import { ClusterRecords } from '../aws/cluster-record';
import { Table } from '../aws/table';
import { Topic } from '../aws/topic';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { notify } from './notify';

export const wire = connect(contract, ({ env, client }) => {
  const table = new Table(client, env.TABLE);
  const deps = {
    cluster: env.CLUSTER,
    stateMachine: env.STATE_MACHINE,
    alerts: new Alerts(table),
    records: new ClusterRecords(table),
    topic: new Topic(client, env.TOPIC),
  };
  return (input, log) => notify(input, deps, log);
});
export const handler = serve(wire);
