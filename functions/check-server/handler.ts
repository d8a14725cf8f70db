import { Instances } from '../aws/instances';
import { Slots } from '../aws/slots';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import { checkServer } from './check-server';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, now }) => {
  const deps = {
    instances: new Instances(client, env.CLUSTER),
    slots: new Slots(new Table(client, env.TABLE)),
    now,
  };
  return (input) => checkServer(input, deps);
});
export const handler = serve(wire);
