/** One of the tool's processes: lives one life after the other, as it is told. */
import { simulate } from '../../test/simulation/simulate';
import type { Answer, Order } from './protocol';

const answer = (message: Answer) => process.send?.(message);

process.on('message', ({ seed, hours, only }: Order) => {
  simulate(seed, { hours, only }).then(
    (simulation) => answer({ ok: true, simulation }),
    (error: unknown) =>
      answer({ ok: false, seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
