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

export const network: Record<string, HappeningKind> = {
  'a zone is cut off': partition('no packet enters or leaves', 2, (from, to) => from !== to),
  'a zone is not heard': partition('no packet leaves', 1, (from, to) => from && !to),
  'a zone hears nothing': partition('no packet enters', 1, (from, to) => !from && to),
};
