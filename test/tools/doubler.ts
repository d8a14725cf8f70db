/** A pool's process that doubles seeds, cannot do 13 and ends at 66. */
import { serve } from '../../tools/pool/serve';

serve(async ({ seed }: { seed: number }) => {
  if (seed === 66) process.exit(7);
  if (seed === 13) throw new Error('unlucky');
  return 2 * seed;
});
