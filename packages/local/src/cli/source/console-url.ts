import { UsageError } from '../command.ts';

/**
 * @returns the console's address by the option `--console-port`. @throws UsageError for what is not
 * a port.
 */
export function consoleUrlOf(port: string | boolean | undefined): string | undefined {
  if (port === undefined) return undefined;
  if (typeof port === 'string' && /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535) {
    return `http://127.0.0.1:${port}`;
  }
  throw new UsageError(`--console-port takes a number from 1 to 65535, not "${port}".`);
}
