import { Leases } from '../aws/lease';
import { Table } from '../aws/table';
import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import * as contract from './contract';
import { deregisterTargets } from './deregister-targets';

export const wire = connect(contract, ({ env, client }) => {
  const deps = { leases: new Leases(new Table(client, env.TABLE)), targets: new Targets(client, env.TARGET_GROUPS) };
  return (input, log) => deregisterTargets(input, deps, log);
});
export const handler = serve(wire);
