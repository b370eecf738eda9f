import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands/index.ts';
import { writeRunRecord } from '../../src/store/runs/run-record.ts';
import { newTrace, segment, startFixture } from '../console/fixture.ts';

const bin = new URL('../../bin/throughline.js', import.meta.url).pathname;
const execute = promisify(execFile);

let directory: string;
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'throughline-cli-')));
  closing = [() => rm(directory, { recursive: true })];
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function throughline(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await execute(process.execPath, [bin, ...args], { cwd })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

/**
 * A console that runs for the service in `directory`, with its addresses written down as `sls
 * local` does.
 */
async function running(service: string): Promise<string> {
  const fixture = await startFixture(service);
  const runs = join(service, '.throughline', 'runs');
  await mkdir(runs, { recursive: true });
  const remove = await writeRunRecord(join(runs, '2026-11-01T00-00-00.000Z.duckdb'), { console: fixture.url });
  closing.push(remove, () => fixture.stop());
  const { root, id } = newTrace();
  fixture.store.segment(segment(root));
  return id;
}

describe('throughline', () => {
  it('lists every command with --help, with "help" and without arguments', async () => {
    for (const args of [['--help'], ['-h'], ['help'], []]) {
      const { code, stdout } = await throughline(directory, ...args);
      expect(code).toBe(0);
      for (const name of Object.keys(commands)) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
  });

  it.each(Object.keys(commands))('describes every option of %s with --help', async (name) => {
    const { code, stdout } = await throughline(directory, name, '--help');
    expect(code).toBe(0);
    const command = (await commands[name]?.())?.default;
    expect(command?.name).toBe(name);
    for (const option of Object.keys(command?.options ?? {})) expect(stdout).toContain(`--${option}`);
  });

  it('refuses an unknown command with exit code 2 and names the one that was meant', async () => {
    expect(await throughline(directory, 'tarce')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'throughline has no command "tarce". Did you mean "trace"?\n',
    });
    expect((await throughline(directory, 'constructor')).stderr).toContain('throughline has no command "constructor"');
  });

  it('refuses an unknown option and a second ID with exit code 2', async () => {
    const { code, stderr } = await throughline(directory, 'trace', '--lst');
    expect(code).toBe(2);
    expect(stderr).toContain("Unknown option '--lst'");
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(await throughline(directory, 'trace', 'abcdef', 'fedcba')).toMatchObject({ code: 2 });
    expect(await throughline(directory, 'trace', '--console-port', '70000')).toMatchObject({
      code: 2,
      stderr: '--console-port takes a number from 1 to 65535, not "70000".\n',
    });
  });

  it('prints its version', async () => {
    expect((await throughline(directory, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('finds the running service from its own folder, from one below and from one above', async () => {
    const service = join(directory, 'services', 'shop');
    await mkdir(join(service, 'src', 'orders'), { recursive: true });
    await writeFile(join(service, 'serverless.yml'), 'service: shop\n');
    const id = await running(service);
    for (const cwd of [service, join(service, 'src', 'orders'), directory]) {
      const { code, stdout } = await throughline(cwd, 'trace', '--json');
      expect({ cwd, code }).toEqual({ cwd, code: 0 });
      expect(JSON.parse(stdout)).toMatchObject([{ id }]);
    }
    const { stdout } = await throughline('/', 'trace', '--directory', service, '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ id }]);
  });

  it('says where it looked when nothing has run there, and that a folder does not exist', async () => {
    expect(await throughline(directory, 'trace')).toMatchObject({
      code: 1,
      stderr: `There is no trace yet in ${directory}: nothing runs, and no run has been kept. Start one with "npx sls local".\n`,
    });
    expect(await throughline(directory, 'trace', '--directory', 'nowhere')).toMatchObject({
      code: 1,
      stderr: '--directory nowhere: folder not found.\n',
    });
  });
});
