/**
 * Waits for `promise`, but no longer than `milliseconds` and not after `signal` has aborted. The
 * promise itself goes on; its rejection within the time rejects here.
 * @returns the value, or which end came first.
 */
export function withTimeout<T>(
  promise: Promise<T>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<{ value: T } | 'timeout' | 'aborted'> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    };
    const done = (result: { value: T } | 'timeout' | 'aborted'): void => {
      clear();
      resolve(result);
    };
    const stop = (): void => done('aborted');
    const timer = setTimeout(() => done('timeout'), milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    promise.then(
      (value) => done({ value }),
      (error: unknown) => {
        clear();
        reject(error);
      },
    );
  });
}
