/**
 * Checks what a change must not make larger unnoticed: `npm run bench:budgets`, in CI too. Only
 * figures that repeat: sizes, counts, read units, and instructions where valgrind is installed. A
 * build that is slow on purpose must be over its budgets, or they would not notice anything. Exits 1
 * when a figure is over. A budget is a little above today's figure; docs/benchmarks.md has the goals.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { buildLayer } from '../../packages/telemetry/layer/build.ts';
import { countInstructions, hasValgrind } from '../functions/instructions.ts';
import { bundle, packaged, serviceSettings } from '../functions/variants.ts';
import { measurePages } from './pages.ts';

const budgets = {
  zipKilobytes: 330,
  millionInstructions: 475,
  /** Source files of ours in the bundle of `health`. */
  healthFiles: { service: 12, telemetry: 54 },
  /** Requests to DynamoDB, and read units, of a page of 20. */
  pages: {
    home: [9, 9],
    'search, a frequent word': [12, 20],
    'search, two frequent words': [12, 28],
    'search, without a living match': [12, 90],
    'search, a word that is nowhere': [5, 2],
    user: [4, 5],
    notifications: [4, 5],
  } as Record<string, readonly [requests: number, units: number]>,
};

const failures: string[] = [];

function check(what: string, value: number, budget: number, mustFail = false): void {
  const isOver = value > budget;
  if (isOver !== mustFail) failures.push(mustFail ? `${what} is within the budget` : `${what} is over the budget`);
  const verdict = mustFail ? (isOver ? 'over, as it must be' : 'NOT OVER') : isOver ? 'OVER' : 'ok';
  console.log(`${what.padEnd(58)} ${value.toFixed(1).padStart(8)} of ${String(budget).padStart(4)}  ${verdict}`);
}

/** @returns how many source files below `folder` are in a bundle, by its source map. */
function filesIn(file: string, folder: string): number {
  const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
  const root = path.resolve(import.meta.dirname, '../..');
  const absolute = sources.map((source) => path.relative(root, path.resolve(path.dirname(file), source)));
  return absolute.filter((source) => source.startsWith(folder)).length;
}

const directory = await mkdtemp(path.join(tmpdir(), 'budgets-'));
try {
  const slow = path.join(directory, 'slow');
  const health = path.join(directory, 'health');
  const layer = path.join(directory, 'layer');
  const product = await packaged(path.join(directory, 'product'));
  await buildLayer(layer);
  // As home was built before docs/adr/014.
  await bundle('handlers/home.ts', slow, { mainFields: ['module', 'main'] });
  await bundle('handlers/health.ts', health, serviceSettings());

  const slowZip = deflateRawSync(readFileSync(path.join(slow, 'handlers/home.js'))).length;
  check('zip of home, KB', product.zipBytes / 1024, budgets.zipKilobytes);
  check('zip of a home that is slow on purpose, KB', slowZip / 1024, budgets.zipKilobytes, true);
  const bundled = path.join(health, 'handlers/home.js');
  const service = filesIn(bundled, 'src/') + filesIn(bundled, 'handlers/');
  check('files of the service in health', service, budgets.healthFiles.service);
  check('files of @throughline/telemetry in health', filesIn(bundled, 'packages/'), budgets.healthFiles.telemetry);
  if (hasValgrind()) {
    const variables = { ROLLBAR_ACCESS_TOKEN: 'x'.repeat(32) };
    const load = async (taskRoot: string): Promise<number> =>
      (await countInstructions({ name: 'home', taskRoot, layer, variables })) / 1e6;
    check('instructions to load home, million', await load(product.taskRoot), budgets.millionInstructions);
    check('instructions of the slow one, million', await load(slow), budgets.millionInstructions, true);
  } else console.log('Instructions are skipped: valgrind is missing.');
  for (const { page, requests, units } of await measurePages()) {
    const [mostRequests = 0, mostUnits = 0] = budgets.pages[page] ?? [];
    check(`${page}: requests to DynamoDB`, requests, mostRequests);
    check(`${page}: read units`, units, mostUnits);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
for (const failure of failures) console.error(`${failure}.`);
process.exit(failures.length > 0 ? 1 : 0);
