import { Commands } from '../aws/commands';
import { canceller } from '../aws/in-flight';
import { Instances } from '../aws/instances';
import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { releaseLease } from './release-lease';

export const wire = connect(contract, ({ env, client }) => {
  const commands = new Commands(client);
  const instances = new Instances(client, env.CLUSTER);
  const deps = {
    leases: new Leases(new Table(client, env.TABLE)),
    cancelInFlight: canceller(commands, instances),
  };
  return (input, log) => releaseLease(input, deps, log);
});
export const handler = serve(wire);
