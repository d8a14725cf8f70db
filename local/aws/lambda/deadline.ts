/** When an invocation has taken too long. */
import type { Clock, Timer } from '../../clock';

/** A function may compute at least this long in real time, whatever the time scale: computing is not accelerated. */
const COMPUTE_MS = 5000;

/**
 * Calls `expire` once the invocation's time is over. On an accelerated clock the limit is stretched so that the
 * machine's own slowness is not mistaken for the function's. Virtual time stands still while a function computes, so
 * that one which never ends would stop everything: it is ended when virtual time has not moved for the limit in real
 * time.
 */
export function startDeadline(clock: Clock, limitMs: number, expire: () => void): Timer {
  const scale = new Float64Array(clock.shared)[2] ?? 0;
  if (scale > 0) return clock.after(Math.max(limitMs, Math.min(limitMs, COMPUTE_MS) * scale), expire);
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
