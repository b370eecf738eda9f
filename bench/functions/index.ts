import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { table } from '../document.ts';
import type { BenchOptions } from '../index.ts';
import { median, quantile, shuffled } from '../statistics.ts';
import { startBackEnds } from './back-ends.ts';
import { clientName, type Measurement, measure } from './environment.ts';
import { countInstructions, hasValgrind } from './instructions.ts';
import { buildVariants, type Variant } from './variants.ts';

const warmRequests = 60;
const defaultRounds = 9;
const base = 'without telemetry, built plainly';

/**
 * Cold and warm: `home` beside the same handler without telemetry and with Powertools' own. Each
 * environment is a process of its own, behind a Runtime API on loopback; the variants take turns in
 * shuffled rounds.
 */
export async function benchFunctions({ rounds = defaultRounds, only }: BenchOptions): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bench-'));
  const backEnds = await startBackEnds();
  try {
    const all = await buildVariants(directory);
    const variants = only.length === 0 ? all : all.filter(({ name }) => only.some((one) => name.startsWith(one)));
    const measured = new Map<Variant, Measurement[]>(variants.map((variant) => [variant, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const variant of shuffled(variants)) {
        measured.get(variant)?.push(await measure({ ...variant, backEnds, warmRequests }));
      }
      process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    }
    const instructions = new Map<Variant, number>();
    if (hasValgrind()) for (const variant of variants) instructions.set(variant, await countInstructions(variant));
    return textOf(measured, instructions, rounds);
  } finally {
    await backEnds.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const head = [
  'home',
  'INIT ms (quartiles)',
  'processor ms',
  '× plain',
  'million instructions to load',
  'first request ms',
  'warm ms',
  'warm processor ms',
  '× plain',
  'zip KB',
];

function textOf(
  measured: ReadonlyMap<Variant, Measurement[]>,
  instructions: ReadonlyMap<Variant, number>,
  rounds: number,
): string {
  const of = (runs: Measurement[], key: keyof Measurement): number => median(runs.map((run) => run[key]));
  const plain = [...measured].find(([{ name }]) => name === base)?.[1] ?? [];
  const rows = [...measured].map(([variant, runs]) => {
    const init = runs.map((run) => run.init);
    const ratio = (key: keyof Measurement): string => (of(runs, key) / of(plain, key)).toFixed(2);
    const million = instructions.get(variant);
    return [
      variant.name,
      `${median(init).toFixed(0)} (${quantile(init, 0.25).toFixed(0)}-${quantile(init, 0.75).toFixed(0)})`,
      of(runs, 'initProcessor').toFixed(0),
      ratio('init'),
      million === undefined ? '-' : (million / 1e6).toFixed(0),
      of(runs, 'first').toFixed(0),
      of(runs, 'warm').toFixed(1),
      of(runs, 'warmProcessor').toFixed(1),
      ratio('warmProcessor'),
      variant.zipBytes === undefined ? '-' : (variant.zipBytes / 1024).toFixed(0),
    ];
  });
  return `${table(head, rows)}

Medians of ${rounds} environments of each variant in shuffled rounds, with ${warmRequests} requests in each; runtime client: ${clientName}.
Every back end is on loopback and answers at once. INIT is from the start of the process to its first \`/next\`; the
instructions are those of loading the file (and the layer), by callgrind, less those of a bare Node${instructions.size === 0 ? ' (skipped: valgrind is missing)' : ''}.`;
}
