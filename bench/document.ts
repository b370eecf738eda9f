import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const benchmarks = path.join(import.meta.dirname, '../docs/benchmarks.md');

const begin = (name: string): string => `<!-- bench ${name}: written by the command -->`;
const end = (name: string): string => `<!-- end of bench ${name} -->`;

/**
 * Replaces what a document has between the marks of the part `name`, or appends it with its marks.
 * The text around the marks is written by hand and stays.
 */
export function writeSection(name: string, text: string, file = benchmarks): void {
  const document = readFileSync(file, 'utf8');
  const section = `${begin(name)}\n\n${text.trim()}\n\n${end(name)}`;
  const [from, to] = [document.indexOf(begin(name)), document.indexOf(end(name))];
  const written =
    from < 0 || to < from
      ? `${document.trimEnd()}\n\n${section}\n`
      : document.slice(0, from) + section + document.slice(to + end(name).length);
  writeFileSync(file, written);
}

/** @returns the machine that a figure is from, and how busy it is now. */
export function machine(): string {
  const [cpu] = os.cpus();
  const gigabytes = Math.round(os.totalmem() / 2 ** 30);
  const [load = 0] = os.loadavg();
  return `${os.availableParallelism()} × ${cpu?.model ?? os.arch()}, ${gigabytes} GB, ${os.type()}, Node ${process.versions.node}, load ${load.toFixed(1)}`;
}

/** @returns a table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
