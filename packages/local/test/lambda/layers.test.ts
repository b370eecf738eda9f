import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bench, folder, lambda, until } from './platform.ts';

const app = { 'app.js': 'exports.handler = async () => 1;' };

describe('a layer made from a folder', () => {
  it('gives its packages to the function, those of a later layer over those of an earlier one', async () => {
    const first = await folder({
      'nodejs/node_modules/one/index.js': 'module.exports = "one, first";',
      'nodejs/node_modules/both/index.js': 'module.exports = "both, first";',
    });
    const second = await folder({
      'nodejs/node_modules/both/index.js': 'module.exports = "both, second, with " + require("one");',
      'nodejs/node24/node_modules/versioned/index.js': 'module.exports = "for node 24";',
    });
    const { invoke, platform } = await bench({
      files: {
        'app.js':
          'const all = ["one", "both", "versioned"].map((name) => require(name)); exports.handler = async () => [...all, process.env.LAMBDA_LAYER_ROOT];',
      },
      functions: [
        lambda({
          layers: [
            { kind: 'directory', key: 'first', path: first },
            { kind: 'directory', key: 'second', path: second },
          ],
        }),
      ],
    });
    const [one, both, versioned, root] = (await invoke()).value as string[];
    expect([one, both, versioned]).toEqual(['one, first', 'both, second, with one, first', 'for node 24']);
    await platform.stop();
    expect(existsSync(String(root))).toBe(false);
    expect(existsSync(first)).toBe(true);
  });

  it('may wrap the runtime: AWS_LAMBDA_EXEC_WRAPPER gets its command, and finds its neighbours by its own place', async () => {
    const layer = await folder({
      'wrap!': `#!/bin/bash
        export WRAPPED="$0"
        export NODE_OPTIONS="$NODE_OPTIONS --require $(dirname "$0")/register.js"
        exec "$@" --extra-argument`,
      'register.js': 'globalThis.registered = true;',
    });
    const { invoke } = await bench({
      files: {
        'app.js': 'exports.handler = async () => [globalThis.registered, process.env.WRAPPED, process.argv.at(-1)];',
      },
      functions: [
        lambda({
          environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/wrap' },
          layers: [{ kind: 'directory', key: 'wrap', path: layer }],
        }),
      ],
    });
    expect((await invoke()).value).toEqual([true, `${layer}/wrap`, '--extra-argument']);
  });

  it('is found by NODE_OPTIONS and NODE_PATH that name /opt', async () => {
    const layer = await folder({
      'hook.js': 'globalThis.hooked = 1;',
      'lib/mine/index.js': 'module.exports = "mine";',
    });
    const { invoke } = await bench({
      files: { 'app.js': 'exports.handler = async () => [globalThis.hooked, require("mine")];' },
      functions: [
        lambda({
          environment: { NODE_OPTIONS: '--no-warnings --require=/opt/hook.js', NODE_PATH: '/opt/lib' },
          layers: [{ kind: 'directory', key: 'hook', path: layer }],
        }),
      ],
    });
    expect((await invoke()).value).toEqual([1, 'mine']);
  });

  it('may be in a folder whose path has spaces', async () => {
    const parent = await folder({ 'my layer/hook.js': 'globalThis.hooked = 1;' });
    const { invoke } = await bench({
      files: { 'app.js': 'exports.handler = async () => globalThis.hooked;' },
      functions: [
        lambda({
          environment: { NODE_OPTIONS: '--require /opt/hook.js' },
          layers: [{ kind: 'directory', key: 'hook', path: `${parent}/my layer` }],
        }),
      ],
    });
    expect((await invoke()).value).toBe(1);
  });

  it('answers with what is missing when the wrapper or the folder is not there', async () => {
    const layer = await folder({ 'not-executable': '#!/bin/sh\n' });
    const layers = [{ kind: 'directory' as const, key: 'only', path: layer }];
    const { invoke } = await bench({
      files: app,
      functions: [
        lambda({ key: 'absent', environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/none' }, layers }),
        lambda({ key: 'plain', environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/not-executable' }, layers }),
        lambda({ key: 'none', environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-handler' } }),
        lambda({ key: 'gone', layers: [{ kind: 'directory', key: 'gone', path: '/nowhere/at/all' }] }),
      ],
    });
    const message = async (key: string) => (await invoke({}, { key })).error?.message;
    expect(await message('absent')).toMatch(/Error: fork\/exec .*\/none: no such file or directory$/);
    expect(await message('plain')).toMatch(/Error: fork\/exec .*\/not-executable: permission denied$/);
    expect(await message('none')).toMatch(/Error: fork\/exec \/opt\/otel-handler: no such file or directory$/);
    expect(await message('gone')).toBe('The layer gone of gone has no folder /nowhere/at/all');
  });

  it('is laid out anew after a reload', async () => {
    const first = await folder({ a: '1' });
    const second = await folder({ b: '2' });
    const layers = [first, second].map((path, index) => ({ kind: 'directory' as const, key: `l${index}`, path }));
    const { invoke, platform } = await bench({
      files: { 'app.js': 'exports.handler = async () => process.env.LAMBDA_LAYER_ROOT;' },
      functions: [lambda({ layers })],
    });
    const before = (await invoke()).value as string;
    platform.reload(['main']);
    const after = (await invoke()).value as string;
    expect(after).not.toBe(before);
    expect(await realpath(after)).toBe(after);
    await until(() => !existsSync(before));
  });
});

describe('a layer by ARN', () => {
  it('is left out with one warning that names it, and so is the wrapper that would come from it', async () => {
    const arn = 'arn:aws:lambda:eu-west-1:184161586896:layer:opentelemetry-nodejs-0_23_0:1';
    const warnings: string[] = [];
    const { invoke, sink } = await bench({
      warn: (sentence) => warnings.push(sentence),
      files: { 'app.js': 'exports.handler = async () => process.env.AWS_LAMBDA_EXEC_WRAPPER ?? "dropped";' },
      functions: [
        lambda({ environment: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-handler' }, layers: [{ kind: 'arn', arn }] }),
      ],
    });
    const results = await Promise.all([invoke(), invoke()]);
    expect(results.map((result) => result.value)).toEqual(['dropped', 'dropped']);
    expect(sink.rejections).toHaveLength(2);
    expect(warnings).toEqual([
      expect.stringContaining(`The layer ${arn} of main is left out`),
      expect.stringContaining('AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler of main is left out'),
    ]);
  });
});
