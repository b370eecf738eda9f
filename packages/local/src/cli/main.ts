import { parseArgs } from 'node:util';
import { LocalFailure } from '../local-failure.ts';
import { type Command, type CommandInput, globalOptions, parseArgsOptions, runCommand, UsageError } from './command.ts';
import { commands } from './commands/index.ts';
import type { TextOutput } from './output.ts';
import { findServiceDirectory } from './service-directory.ts';

export interface MainOptions {
  output?: TextOutput;
  errorOutput?: TextOutput;
  /** Where to look for the service; default: the current folder. */
  cwd?: string;
}

/**
 * `throughline <command> …`.
 * @returns the exit code: 0, 1 for a failure, 2 for a command line that makes no sense.
 */
export async function main(argv: readonly string[], options: MainOptions = {}): Promise<number> {
  const { output = process.stdout, errorOutput = process.stderr, cwd = process.cwd() } = options;
  try {
    const [name, ...rest] = argv;
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      const asked = name === 'help' ? rest[0] : undefined;
      const { commandHelp, help } = await import('./help.ts');
      output.write(asked === undefined ? await help() : commandHelp(await load(asked)));
      return 0;
    }
    if (name === '--version' || name === '-v') {
      const { version } = await import('./help.ts');
      output.write(`${version()}\n`);
      return 0;
    }
    const command = await load(name);
    const { values, positionals } = parse(command, rest);
    if (values.help === true) {
      const { commandHelp } = await import('./help.ts');
      output.write(commandHelp(command));
      return 0;
    }
    const given = values.directory;
    const directory = await findServiceDirectory(cwd, typeof given === 'string' ? given : undefined);
    return await runCommand(command, { values, positionals, directory, output, errorOutput, signal: interrupted() });
  } catch (error) {
    if (!(error instanceof LocalFailure)) throw error;
    errorOutput.write(`${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/**
 * Loads a command by its name. @throws UsageError for an unknown one, with the name that was
 * probably meant.
 */
async function load(name: string): Promise<Command> {
  const loader = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (loader) return (await loader()).default;
  const { closest } = await import('./closest.ts');
  const meant = closest(name, Object.keys(commands));
  const hint = meant === undefined ? 'Run "throughline --help" for the list.' : `Did you mean "${meant}"?`;
  throw new UsageError(`throughline has no command ${JSON.stringify(name.slice(0, 100))}. ${hint}`);
}

function parse(command: Command, args: string[]): Pick<CommandInput, 'values' | 'positionals'> {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: parseArgsOptions({ ...command.options, ...globalOptions }),
      allowPositionals: command.positionals !== undefined,
    });
    return { values: values as CommandInput['values'], positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const sentence = error.message.split('. ')[0]?.replace(/\.$/, '') ?? error.message;
    throw new UsageError(`${sentence}. Run "throughline ${command.name} --help" for the options.`);
  }
}

/** Ctrl-C asks the command to end; a second one ends the process. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
