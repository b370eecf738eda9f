/**
 * Measures this project beside others and writes the tables of docs/benchmarks.md: `npm run bench`
 * runs every part, `npm run bench functions` one. A part's own options follow a `--`, and
 * `--rounds 3` is enough for a first look.
 */
import { parseArgs } from 'node:util';
import { machine, writeSection } from './document.ts';
import { benchFunctions } from './functions/index.ts';

/** What a part may be told. */
export interface BenchOptions {
  /** How often each variant is measured. */
  rounds: number | undefined;
  /** Only the variants whose names begin with one of these. */
  only: string[];
}

/** @returns the text of its section, in Markdown. */
type Part = (options: BenchOptions) => Promise<string>;

const parts: Record<string, Part> = { functions: benchFunctions };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    'dry-run': { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. The parts are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
for (const [name, part] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const text = `${await part({ rounds, only: values.only })}\n\n${machine()}; ${new Date().toISOString().slice(0, 10)}.`;
  console.log(text);
  // A look at some of the variants must not replace the figures of all.
  if (!values['dry-run'] && values.only.length === 0) writeSection(name, text);
}
