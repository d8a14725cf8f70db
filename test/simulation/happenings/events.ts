/** What happens to events. */

import type { DeliveryPlan } from '../../../local/aws/events';
import type { Random } from '../../../local/random';
import type { HappeningKind } from './happening';

function delivered(what: string, weight: number, plan: (random: Random) => number[]): HappeningKind {
  return {
    grave: false,
    weight,
    begin(stage, random) {
      const { events } = stage.aws.services;
      const own: DeliveryPlan = () => plan(random);
      events.plan = own;
      stage.until(what, () => {
        if (events.plan === own) events.plan = () => [0];
      });
      return `events are ${what}`;
    },
  };
}

const delay = (random: Random) => random.next() * 120_000;

export const events: Record<string, HappeningKind> = {
  'events are lost': delivered('lost, every other one', 2, (random) => (random.next() < 0.5 ? [] : [0])),
  'events come twice': delivered('delivered twice', 2, (random) => [0, delay(random)]),
  'events are reordered': delivered('late and in another order', 2, (random) => [delay(random)]),
};
