import type { Command } from '../command.ts';

/**
 * Every subcommand of `throughline`. A module is loaded when its command runs, or for the list in
 * `throughline --help`.
 */
export const commands: Record<string, () => Promise<{ default: Command }>> = {
  honeycomb: () => import('./honeycomb.ts'),
  invoke: () => import('./invoke.ts'),
  query: () => import('./query.ts'),
  secrets: () => import('./secrets.ts'),
  sql: () => import('./sql.ts'),
  token: () => import('./token.ts'),
  trace: () => import('./trace.ts'),
};
