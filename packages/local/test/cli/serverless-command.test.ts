import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceCommand, traceHooks } from '../../src/cli/serverless-command.ts';

const root = new URL('../../../../', import.meta.url);
const run = promisify(execFile);

describe('traceHooks', () => {
  it('takes an option behind trace for no ID', () => {
    expect(traceHooks(['node', 'sls', 'trace', '--last'])).toEqual(['trace:show']);
    expect(traceCommand(['node', 'sls', 'trace', '--last']).commands).toBeUndefined();
    expect(traceHooks(['node', 'sls', 'local'])).toEqual(['trace:show']);
  });
});

describe('sls trace, as Serverless itself reads it', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'trace-service-'));
    await writeFile(
      join(directory, 'serverless.yml'),
      'service: shop\nprovider:\n  name: aws\nplugins:\n  - ./plugin.mjs\n',
    );
    const command = JSON.stringify(new URL('packages/local/src/cli/serverless-command.ts', root).href);
    await writeFile(
      join(directory, 'plugin.mjs'),
      `import { traceCommand, traceHooks, traceIdArgument } from ${command};
export default class {
  constructor(serverless, options) {
    this.commands = { trace: traceCommand() };
    const show = async () => {
      console.log('seen ' + JSON.stringify({ id: traceIdArgument(), ...options }));
      process.exitCode = 2;
    };
    this.hooks = Object.fromEntries(traceHooks().map((name) => [name, show]));
  }
}
`,
    );
  });

  afterAll(() => rm(directory, { recursive: true }));

  async function sls(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const program = new URL('node_modules/serverless/bin/serverless.js', root).pathname;
    const node = new URL('node_modules/.bin/node', root).pathname;
    try {
      return { code: 0, ...(await run(node, [program, ...args], { cwd: directory })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  it('takes an ID in either form behind it, with options, and hands the exit code on', async () => {
    for (const id of [
      '1-6561dad1-a1b2c3d4e5f60718293a4b5c',
      '6561dad1a1b2c3d4e5f60718293a4b5c',
      '293a4b5c',
      '12345678',
    ]) {
      const { stdout, code } = await sls('trace', id, '--json');
      expect(stdout).toContain(`"id":"${id}"`);
      expect(stdout).toContain('"json":true');
      expect(stdout.match(/^seen /gm)).toHaveLength(1);
      expect(code).toBe(2);
    }
  });

  it.each(['--json abcdef', '--console-port 4001 abcdef', '--console-port=4001 -f abcdef --json', '--stage x abcdef'])(
    'finds the ID behind options: %s',
    async (line) => {
      expect((await sls('trace', ...line.split(' '))).stdout).toContain('"id":"abcdef"');
    },
  );

  it('takes every option, and the short forms', async () => {
    const { stdout } = await sls('trace', '-l', '-e', '--slow', '500', '--console-port', '4001');
    expect(JSON.parse(/^seen (.*)$/m.exec(stdout)?.[1] ?? '')).toMatchObject({
      last: true,
      errors: true,
      slow: '500',
      'console-port': '4001',
    });
  });

  it('describes its options in --help', async () => {
    const { stdout } = await sls('trace', '--help');
    for (const option of ['--last', '--errors', '--slow', '--orphans', '--follow', '--json', '--console-port'])
      expect(stdout).toContain(option);
  });
});
