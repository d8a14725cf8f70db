import { Commands } from '../aws/commands';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { sendCommand } from './send-command';

export const wire = connect(contract, ({ env, client }) => {
  const deps = {
    leases: new Leases(new Table(client, env.TABLE)),
    commands: new Commands(client, env.DOCUMENT_PREFIX),
    instances: new Instances(client, env.CLUSTER),
  };
  return (input, log) => sendCommand(input, deps, log);
});
export const handler = serve(wire);
