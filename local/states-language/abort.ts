/** Ending work early: abort signals that follow another one, and promises that give up with a signal. */

import { setMaxListeners } from 'node:events';

export interface Linked {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Stops following the parent. Without it a long-lived parent would keep every child. */
  release(): void;
}

/** An abort controller that any number of branches may follow; Node warns of leaks from the eleventh listener on. */
export function controllerForMany(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** A signal that aborts with its parent or by itself. */
export function linked(parent: AbortSignal): Linked {
  const controller = controllerForMany();
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => parent.removeEventListener('abort', follow),
  };
}

/** Settles with the promise, or rejects with the signal's reason as soon as it aborts. The work itself goes on. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
