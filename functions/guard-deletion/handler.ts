import { Instances } from '../aws/instances';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { guardDeletion } from './guard-deletion';

export const wire = connect(contract, ({ env, client, fetch }) => {
  const deps = {
    cluster: env.CLUSTER,
    slots: new Slots(new Table(client, env.TABLE)),
    instances: new Instances(client, env.CLUSTER),
    fetch,
  };
  return (input, log) => guardDeletion(input, deps, log);
});
export const handler = serve(wire);
