/** What happens to packets. */

import type { Stage } from '../stage';
import type { HappeningKind } from './happening';

const inside = (stage: Stage, zone: string) => (address: string) =>
  stage.truth.living.some((instance) => instance.privateIp === address && instance.zone === zone);

function partition(name: string, weight: number, blocked: (from: boolean, to: boolean) => boolean): HappeningKind {
  return {
    grave: true,
    weight,
    begin(stage, random) {
      const zone = random.pick(stage.aws.world.zones);
      const isInside = inside(stage, zone);
      const end = stage.aws.network.block((from, to) => blocked(isInside(from), isInside(to)));
      stage.until(name, () => void end());
      return `${name} ${zone}`;
    },
  };
}

/** One signal that has nothing to agree with. */
const unreachedByBalancer: HappeningKind = {
  grave: true,
  weight: 1,
  begin(stage, random) {
    const { living } = stage.truth;
    if (living.length === 0) return null;
    const { instanceId, privateIp } = random.pick(living);
    const end = stage.aws.network.block((from, to) => from === 'nlb' && to === privateIp);
    stage.until('balancer', () => void end());
    return `the load balancer does not reach ${stage.label(instanceId)}`;
  },
};

export const network: Record<string, HappeningKind> = {
  'the load balancer alone does not reach a server': unreachedByBalancer,
  'a zone is cut off': partition('no packet enters or leaves', 2, (from, to) => from !== to),
  'a zone is not heard': partition('no packet leaves', 1, (from, to) => from && !to),
  'a zone hears nothing': partition('no packet enters', 1, (from, to) => !from && to),
};
