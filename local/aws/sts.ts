/** STS: who am I. */
import { z } from 'zod';
import { type Operation, operation, type Provision, type Service, type World } from './service';

export class Sts implements Service {
  readonly name = 'sts';
  readonly protocol = 'query';
  readonly version = '2011-06-15';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision> = {};

  constructor(world: World) {
    this.operations = {
      GetCallerIdentity: operation({
        input: z.strictObject({}),
        // "No permissions are required to perform this operation."
        needs: () => [],
        handle: (_input, { caller }) => ({
          UserId: userId(caller.principal, caller.accessKeyId, world.account),
          Account: world.account,
          Arn: caller.principal,
        }),
      }),
    };
  }
}

/** An assumed role's is `<role id>:<session name>`; the role id is not needed to tell callers apart. */
function userId(principal: string, accessKeyId: string, account: string): string {
  const session = /:assumed-role\/[^/]+\/(.+)$/.exec(principal)?.[1];
  return session === undefined ? account : `AROA${accessKeyId.slice(4)}:${session}`;
}
