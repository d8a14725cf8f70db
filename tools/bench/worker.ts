/** A process that measures the seeds it is sent, one after the other. */
import { measure } from './trial';

process.on('message', (seed: number) => {
  measure(seed).then(
    (measured) => process.send?.({ measured }),
    (error: unknown) => process.send?.({ seed, error: error instanceof Error ? error.message : String(error) }),
  );
});
