import { Builds } from '../aws/builds';
import { connect, serve } from '../runtime/serve';
import { buildImage } from './build-image';
import * as contract from './contract';

export const wire = connect(contract, ({ env, client, now, sleep, fetch }) => {
  const deps = { cluster: env.CLUSTER, builds: new Builds(client, env.PROJECT), now, sleep, fetch };
  return (input, log) => buildImage(input, deps, log);
});
export const handler = serve(wire);
