import { LocalFailure } from '../failure.ts';
import type { TraceOptions } from './trace.ts';

/** As Serverless takes a command of a plugin. */
export interface CommandDefinition {
  usage: string;
  lifecycleEvents: string[];
  options: Record<string, { usage: string; type: 'string' | 'boolean'; shortcut?: string }>;
  commands?: Record<string, CommandDefinition>;
}

const options: CommandDefinition['options'] = {
  last: { usage: 'The newest request, as a waterfall', type: 'boolean', shortcut: 'l' },
  errors: { usage: 'Only requests with an error, a fault or a throttle', type: 'boolean', shortcut: 'e' },
  slow: { usage: 'Only requests that took so many milliseconds or more', type: 'string' },
  orphans: { usage: 'What was received and belongs to no trace, and what could not be taken', type: 'boolean' },
  follow: { usage: 'Print each request as it ends, until Ctrl-C', type: 'boolean', shortcut: 'f' },
  json: { usage: 'Print JSON; with --follow one text a line', type: 'boolean' },
  'console-port': { usage: 'Port of the running console (custom.local.ports.console, else 4000)', type: 'string' },
};

const usage = 'Show what was traced: the newest requests, or one by its id (sls trace <id>) as a waterfall';

/** Options without a value: ours, and those that Serverless has for every command. */
const switches = new Set([
  ...Object.entries(options).flatMap(([name, { type, shortcut }]) =>
    type === 'boolean' ? [`--${name}`, ...(shortcut ? [`-${shortcut}`] : [])] : [],
  ),
  ...['--help', '-h', '--version', '-v', '--verbose'],
]);

/** @returns the id in `sls trace <id>`, whatever it looks like, before or after options; undefined where there is none. */
export function traceIdArgument(argv: readonly string[] = process.argv): string | undefined {
  const [command, ...rest] = argv.slice(2);
  if (command !== 'trace') return undefined;
  const isValue = (before = '') => before.startsWith('-') && !before.includes('=') && !switches.has(before);
  return rest.find((word, at) => !word.startsWith('-') && !isValue(rest[at - 1]));
}

/**
 * The definition of `sls trace`. Serverless knows no positional arguments, it takes them for subcommands: so the id that was given is one,
 * with the same options. Its hook is `trace:<id>:show`, that of all the others `trace:show`.
 */
export function traceCommand(argv: readonly string[] = process.argv): CommandDefinition {
  const id = traceIdArgument(argv);
  const command = { usage, lifecycleEvents: ['show'], options };
  return id === undefined ? command : { ...command, commands: Object.fromEntries([[id, command]]) };
}

/** @returns the names of the hooks that `traceCommand` leads to. */
export function traceHooks(argv: readonly string[] = process.argv): string[] {
  const id = traceIdArgument(argv);
  return id === undefined ? ['trace:show'] : ['trace:show', `trace:${id}:show`];
}

/**
 * Turns what Serverless has read from the command line into what `runTrace` takes.
 * @param consolePort `custom.local.ports.console`, for when none is given.
 * @throws LocalFailure for a port that is none.
 */
export function traceOptions(
  given: Record<string, unknown>,
  consolePort: number,
  argv: readonly string[] = process.argv,
): Pick<TraceOptions, 'id' | 'last' | 'errors' | 'slow' | 'orphans' | 'follow' | 'json' | 'consoleUrl'> {
  const id = traceIdArgument(argv);
  const port = given['console-port'] ?? String(consolePort);
  if (typeof port !== 'string' || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new LocalFailure(`--console-port takes a number from 1 to 65535, not "${port}".`);
  }
  const slow = given['slow'];
  return {
    ...(id === undefined ? {} : { id }),
    // An empty text is no number, though Number('') is 0.
    ...(slow === undefined ? {} : { slow: slow === '' ? Number.NaN : Number(slow) }),
    last: given['last'] === true,
    errors: given['errors'] === true,
    orphans: given['orphans'] === true,
    follow: given['follow'] === true,
    json: given['json'] === true,
    consoleUrl: `http://127.0.0.1:${port}`,
  };
}
