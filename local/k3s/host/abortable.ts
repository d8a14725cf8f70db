/** `promise`, unless `signal` aborts first: then a rejection with its reason. Leaves no listener behind. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    const settled = () => signal.removeEventListener('abort', abort);
    promise.finally(settled).then(resolve, reject);
  });
}

/** What a hanging machine answers. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {});
