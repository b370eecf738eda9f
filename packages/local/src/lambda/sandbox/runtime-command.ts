import { join } from 'node:path';
import type { InspectOptions } from '../invocation/types.ts';

/** The runtime client that needs no compiling: see `custom.local.runtimeClient` for another. */
export const ownClient = join(import.meta.dirname, '../runtime/index.cjs');

/**
 * What Lambda's bootstrap runs, or hands to the function's wrapper.
 * @param client the runtime client's file and its arguments.
 * @param wrapper AWS_LAMBDA_EXEC_WRAPPER.
 * @param inspect where the inspector listens; absent for a function that is not debugged.
 * @throws ENOENT for a wrapper below /opt: no layer has it, and the machine's own /opt is not a layer.
 */
export function runtimeCommand(
  client: readonly string[],
  memoryMegabytes: number,
  wrapper?: string,
  inspect?: InspectOptions,
): string[] {
  if (wrapper?.startsWith('/opt/')) throw Object.assign(new Error(wrapper), { code: 'ENOENT', path: wrapper });
  const inspector = inspect ? [`--inspect${inspect.breakAtStart ? '-brk' : ''}=127.0.0.1:${inspect.port}`] : [];
  const command = [process.execPath, ...inspector, ...memoryFlags(memoryMegabytes), ...client];
  return wrapper ? [wrapper, ...command] : command;
}

/**
 * The limits that Lambda's bootstrap gives V8, so that a leak ends in V8's own words where it can.
 */
function memoryFlags(megabytes: number): string[] {
  const oldSpace = Math.floor(megabytes * 0.9);
  const semiSpace = Math.max(1, Math.floor(megabytes * 0.05));
  return [`--max-old-space-size=${oldSpace}`, `--max-semi-space-size=${semiSpace}`, '--max-http-header-size=81920'];
}
