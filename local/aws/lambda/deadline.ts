/** When an invocation has taken too long. */
import type { Clock, Timer } from '../../clock';

/**
 * Calls `expire` once the invocation's time is over. Virtual time stands still while a function computes, so that one
 * which never ends would stop everything: it is ended when virtual time has not moved for the limit in real time.
 */
export function startDeadline(clock: Clock, limitMs: number, expire: () => void): Timer {
  const timer = clock.after(limitMs, expire);
  let seen = clock.now();
  const stuck = setInterval(() => {
    if (clock.now() === seen) expire();
    seen = clock.now();
  }, limitMs);
  stuck.unref();
  return {
    cancel: () => {
      timer.cancel();
      clearInterval(stuck);
    },
  };
}
