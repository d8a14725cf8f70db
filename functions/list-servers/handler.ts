import { Instances } from '../aws/instances';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { listServers } from './list-servers';

export const wire = connect(contract, ({ env, client }) => {
  const deps = { slots: new Slots(new Table(client, env.TABLE)), instances: new Instances(client, env.CLUSTER) };
  return () => listServers(deps);
});
export const handler = serve(wire);
