import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { functionVariables } from './environment.ts';
import type { Variant } from './variants.ts';

/** Port 9 is that of `discard`: nothing listens, and nothing is sent while a module is loaded. */
const nowhere = 'http://127.0.0.1:9';

/** @returns whether callgrind can count here. */
export function hasValgrind(): boolean {
  return spawnSync('valgrind', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Counts the instructions that loading a variant takes, its layer's included: by callgrind, which
 * repeats within some parts per million where a time does not.
 * @returns those over the instructions of a Node that loads nothing.
 */
export async function countInstructions({ taskRoot, layer, variables }: Variant): Promise<number> {
  const load = `require(${JSON.stringify(path.join(taskRoot, 'handlers/home.js'))});`;
  const preload = layer ? ['--import', path.join(layer, 'throughline/register.mjs')] : [];
  const environment = { ...functionVariables(nowhere), LAMBDA_TASK_ROOT: taskRoot, ...variables };
  const [loaded, empty] = [
    await collect([...preload, '-e', load], environment),
    await collect(['-e', ''], environment),
  ];
  return loaded - empty;
}

async function collect(args: string[], environment: Record<string, string>): Promise<number> {
  // Whatever Node draws at random or does on other threads would change the count.
  const options = ['--hash-seed=1', '--random-seed=1', '--single-threaded'];
  const last = args.at(-1) ?? '';
  const { stderr } = await promisify(execFile)(
    'valgrind',
    [
      '--tool=callgrind',
      '--callgrind-out-file=/dev/null',
      process.execPath,
      ...options,
      ...args.slice(0, -1),
      `${last}process.exit(0)`,
    ],
    { env: environment, timeout: 300_000 },
  );
  const count = /Collected : (\d+)/.exec(stderr)?.[1];
  if (count === undefined) throw new Error(`callgrind has counted nothing: ${stderr.slice(-500)}`);
  return Number(count);
}
