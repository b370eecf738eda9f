import { createContext, Script } from 'node:vm';

/** A piece of work was ended since it took too long. */
export class WorkTimeout extends Error {
  override name = 'WorkTimeout';
}

const script = new Script('work()');
const current: { work: () => unknown } = { work: () => undefined };
const context = createContext(current);

/**
 * Runs `work`, which is synchronous, and ends it after `milliseconds` even within a regular
 * expression, which would otherwise hold the main thread for as long as it backtracks.
 * @returns what `work` returns.
 * @throws WorkTimeout
 */
export function bounded<T>(work: () => T, milliseconds: number): T {
  current.work = work;
  try {
    return script.runInContext(context, { timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new WorkTimeout(`The search took longer than ${milliseconds} ms for one part of its lines.`);
    throw error;
  } finally {
    current.work = () => undefined;
  }
}
