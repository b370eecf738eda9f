import { readFileSync } from 'node:fs';
import { type Command, type CommandOption, globalOptions } from './command.ts';
import { commands } from './commands/index.ts';

/** @returns the text of `throughline --help`. */
export async function help(): Promise<string> {
  const loaded = await Promise.all(Object.values(commands).map(async (load) => (await load()).default));
  return [
    'Usage: throughline <command> [options]',
    '',
    'Shows and repeats what a Serverless service did on this machine. It finds a running "sls local" by itself.',
    '',
    'Commands:',
    ...table(loaded.map(({ name, positionals = '', summary }) => [`${name} ${positionals}`.trim(), summary])),
    '',
    'Run "throughline <command> --help" for its options.',
    '',
  ].join('\n');
}

/** @returns the text of `throughline <command> --help`. */
export function commandHelp({ name, summary, positionals = '', options, examples = [] }: Command): string {
  return [
    `Usage: throughline ${name} ${[positionals, '[options]'].filter(Boolean).join(' ')}`,
    '',
    `${summary}.`,
    '',
    'Options:',
    ...table(Object.entries({ ...options, ...globalOptions }).map(optionRow)),
    ...(examples.length > 0 ? ['', 'Examples:', ...table(examples)] : []),
    '',
  ].join('\n');
}

/** @returns the version of this package. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}

function optionRow([name, { usage, short, value }]: [string, CommandOption]): [string, string] {
  return [`${short ? `-${short}, ` : '    '}--${name}${value ? ` <${value}>` : ''}`, usage];
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
