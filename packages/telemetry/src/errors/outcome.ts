/**
 * The party that caused the failure: the caller (`error`, or `throttle` when it asked too often),
 * or the called one (`fault`).
 */
export type Outcome = 'ok' | 'error' | 'throttle' | 'fault';

/** @param status of HTTP; absent when there was no answer at all. */
export function outcomeOf(status: number | undefined): Outcome {
  if (status === undefined || status >= 500) return 'fault';
  if (status === 429) return 'throttle';
  return status >= 400 ? 'error' : 'ok';
}

/** @returns the HTTP status that an error carries as `status` or `statusCode`, 400 to 599. */
export function statusOf(error: unknown): number | undefined {
  try {
    const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
    const value = typeof status === 'number' ? status : statusCode;
    return typeof value === 'number' && value >= 400 && value <= 599 ? value : undefined;
  } catch {
    return undefined;
  }
}
