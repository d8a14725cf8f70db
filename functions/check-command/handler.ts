import { Commands } from '../aws/commands';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import { checkCommand } from './check-command';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client }) => {
  const deps = { leases: new Leases(new Table(client, env.TABLE)), commands: new Commands(client) };
  return (input, log) => checkCommand(input, deps, log);
});
export const handler = serve(wire);
