import { Targets } from '../aws/targets';
import { connect, serve } from '../runtime/serve';
import { checkTargets } from './check-targets';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client }) => {
  const deps = { servers: env.SERVERS, targets: new Targets(client, env.TARGET_GROUPS) };
  return () => checkTargets(deps);
});
export const handler = serve(wire);
