import type { Command } from './command.ts';
import trace from './commands/trace.ts';

/** A plugin's command in the form that Serverless takes. */
export interface ServerlessCommand {
  usage: string;
  lifecycleEvents: string[];
  options: Record<string, { usage: string; type: 'string' | 'boolean'; shortcut?: string }>;
  commands?: Record<string, ServerlessCommand>;
}

/** Options without a value: the command's own, and those that Serverless has for every command. */
const switches = new Set([
  ...Object.entries(trace.options).flatMap(([name, { type, short }]) =>
    type === 'boolean' ? [`--${name}`, ...(short ? [`-${short}`] : [])] : [],
  ),
  ...['--help', '-h', '--version', '-v', '--verbose'],
]);

/** @returns the ID in `sls trace <id>`, before or after options; undefined without one. */
export function traceIdArgument(argv: readonly string[] = process.argv): string | undefined {
  const [command, ...rest] = argv.slice(2);
  if (command !== 'trace') return undefined;
  const isValue = (before = '') => before.startsWith('-') && !before.includes('=') && !switches.has(before);
  return rest.find((word, at) => !word.startsWith('-') && !isValue(rest[at - 1]));
}

/**
 * Defines `sls trace`, the same command as `throughline trace`. Serverless knows no positional
 * arguments and takes them for subcommands, so the given ID becomes one, with the same options and
 * the hook `trace:<id>:show`.
 */
export function traceCommand(argv: readonly string[] = process.argv): ServerlessCommand {
  const id = traceIdArgument(argv);
  const command = { usage: trace.summary, lifecycleEvents: ['show'], options: serverlessOptions(trace) };
  return id === undefined ? command : { ...command, commands: Object.fromEntries([[id, command]]) };
}

/** @returns the names of the hooks that `traceCommand` leads to. */
export function traceHooks(argv: readonly string[] = process.argv): string[] {
  const id = traceIdArgument(argv);
  return id === undefined ? ['trace:show'] : ['trace:show', `trace:${id}:show`];
}

function serverlessOptions({ options }: Command): ServerlessCommand['options'] {
  return Object.fromEntries(
    Object.entries(options).map(([name, { usage, type, short, value }]) => [
      name,
      { usage: value ? `${usage} (${value})` : usage, type, ...(short ? { shortcut: short } : {}) },
    ]),
  );
}
