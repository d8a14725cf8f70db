/** Whether every server receives traffic in every target group. */
import type * as z from 'zod/mini';
import type { Targets } from '../aws/targets';
import { TargetsNotHealthy } from '../cluster/errors';
import type { TargetGroupName } from '../cluster/observation';
import type { Output } from './contract';

export interface Deps {
  servers: number;
  targets: Pick<Targets, 'health'>;
}

/** @throws TargetsNotHealthy: ask again */
export async function checkTargets({ servers, targets }: Deps): Promise<z.infer<typeof Output>> {
  const count = async (group: TargetGroupName) =>
    [...(await targets.health(group)).values()].filter((health) => health === 'healthy').length;
  const [http, https, api] = await Promise.all([count('http'), count('https'), count('api')]);
  const healthy = { http, https, api };
  const lacking = Object.entries(healthy).filter(([, found]) => found < servers);
  if (lacking.length === 0) return { healthy };
  const counts = lacking.map(([group, found]) => `${group} ${found} of ${servers}`).join(', ');
  throw new TargetsNotHealthy(`healthy targets: ${counts}`);
}
