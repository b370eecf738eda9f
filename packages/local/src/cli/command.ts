import type { ParseArgsConfig } from 'node:util';
import { LocalFailure } from '../local-failure.ts';
import type { TextOutput } from './output.ts';

export interface CommandOption {
  usage: string;
  type: 'string' | 'boolean';
  short?: string;
  /** The word for its value in the help, such as `ms`. */
  value?: string;
}

/** A parsed command line. */
export interface CommandInput {
  values: Readonly<Record<string, string | boolean | undefined>>;
  positionals: readonly string[];
  /** The service's folder: the one that holds serverless.yml and `.throughline/`. */
  directory: string;
  output: TextOutput;
  errorOutput: TextOutput;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** One subcommand of `throughline`, in a file of its own under `commands/`. */
export interface Command {
  name: string;
  summary: string;
  /** The positional arguments in the help, such as `[id]`; a command without them accepts none. */
  positionals?: string;
  options: Record<string, CommandOption>;
  examples?: readonly (readonly [command: string, effect: string])[];
  /**
   * @returns the exit code.
   * @throws UsageError (exit code 2) or another LocalFailure (1), each one sentence for the user.
   */
  run(input: CommandInput): Promise<number>;
}

/** The command line makes no sense: exit code 2. */
export class UsageError extends LocalFailure {}

/** Options that every command has. */
export const globalOptions: Record<string, CommandOption> = {
  directory: { usage: "The service's folder (default: found from the current one)", type: 'string', value: 'path' },
  help: { usage: 'Show this help', type: 'boolean', short: 'h' },
};

/** @returns the options in the form that `parseArgs` of node:util takes. */
export function parseArgsOptions(options: Record<string, CommandOption>): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, ...(short ? { short } : {}) }]),
  );
}

/**
 * Runs a command and turns the failures that the user can fix into one line on the error output.
 * @returns the exit code: the command's own, 1 for a failure, 2 for a command line that makes no
 *   sense.
 */
export async function runCommand(command: Command, input: CommandInput): Promise<number> {
  try {
    return await command.run(input);
  } catch (error) {
    if (!(error instanceof LocalFailure)) throw error;
    const { plain } = await import('./render/text.ts');
    input.errorOutput.write(`${plain(error.message)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
