import { config } from '../config.ts';
import type { RenderOptions } from './render/text.ts';

/** Where a command writes: a stream of this process, or a test's own. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * @returns the width and colours of an output. https://no-color.org: NO_COLOR counts when it is not
 * empty.
 */
export function renderOptions(output: TextOutput): RenderOptions {
  return { width: (output.isTTY && output.columns) || 80, color: Boolean(output.isTTY && !config.noColor()) };
}
