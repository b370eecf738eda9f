import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bench, folder, isAlive, lambda, until } from './platform.ts';

const app = {
  'app.js': `exports.handler = async (e) => { await new Promise((r) => setTimeout(r, e.wait ?? 0)); return { pid: process.pid, api: process.env.AWS_LAMBDA_RUNTIME_API }; };`,
};
type Answer = { pid: number; api: string };

async function refusesConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}

describe('an environment', () => {
  it('is stopped when it has had nothing to do for long enough', async () => {
    const { invoke } = await bench({ files: app, idleMilliseconds: 100 });
    const { pid, api } = (await invoke()).value as Answer;
    await until(() => !isAlive(pid));
    await until(() => refusesConnections(api));
    expect(await invoke()).toMatchObject({ coldStart: true });
  });

  it('that ends by itself between two invocations is replaced', async () => {
    const { invoke } = await bench({
      files: {
        'app.js': 'exports.handler = async () => { setTimeout(() => process.exit(1), 50); return process.pid; };',
      },
    });
    const { value } = await invoke();
    await until(() => !isAlive(value as number));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await invoke()).toMatchObject({ coldStart: true });
  });

  it('takes what it has started with it', async () => {
    const { invoke, platform } = await bench({
      files: {
        'app.js': `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
          exports.handler = async () => child.pid;`,
      },
    });
    const child = (await invoke()).value as number;
    expect(isAlive(child)).toBe(true);
    await platform.stop();
    await until(() => !isAlive(child));
  });

  /** Code that registers as an extension inside the runtime's process. */
  const registered = `
    const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/';
    const answer = await fetch(api + 'register', { method: 'POST', headers: { 'Lambda-Extension-Name': 'inside' }, body: '{"events":[]}' });
    fetch(api + 'event/next', { headers: { 'Lambda-Extension-Identifier': answer.headers.get('lambda-extension-identifier') } }).catch(() => {});`;
  const flushing = `process.on('SIGTERM', () => setTimeout(() => { console.log('flushed'); process.exit(0); }, 100));`;

  it('with an extension gets SIGTERM and time to finish', async () => {
    const { invoke, platform, messages } = await bench({
      files: { 'app.mjs': `${registered} ${flushing} export const handler = async () => 1;` },
    });
    await invoke();
    await platform.stop();
    expect(messages()).toContainEqual(expect.stringMatching(/flushed$/));
  });

  it('with an extension gets SIGTERM also when its time is up, and what it says then is before the REPORT', async () => {
    const { invoke, logged, messages } = await bench({
      files: {
        'app.mjs': `${registered} ${flushing} export const handler = () => new Promise(() => setInterval(() => {}, 1000));`,
      },
      functions: [lambda({ timeoutSeconds: 1 })],
    });
    expect((await invoke()).error).toMatchObject({ kind: 'timeout' });
    await logged(/^REPORT .*Status: timeout/);
    const at = (pattern: RegExp): number => messages().findIndex((message) => pattern.test(message));
    expect(at(/flushed$/)).toBeGreaterThan(at(/Task timed out/));
    expect(at(/flushed$/)).toBeLessThan(at(/^REPORT/));
  });

  it('without an extension is killed at once, as Lambda does', async () => {
    const { invoke, platform, messages } = await bench({
      files: { 'app.js': `${flushing} exports.handler = async () => 1;` },
    });
    await invoke();
    await platform.stop();
    expect(messages().join()).not.toContain('flushed');
  });

  it('that ignores SIGTERM is killed', async () => {
    const { invoke, platform } = await bench({
      files: {
        'app.mjs': `${registered} process.on('SIGTERM', () => {}); export const handler = async () => process.pid;`,
      },
    });
    const { value } = await invoke();
    await platform.stop();
    expect(isAlive(value as number)).toBe(false);
  });
});

describe('reload', () => {
  it('lets a running invocation finish, and the next one run new code', async () => {
    let version = 1;
    const folders = [app, { 'app.js': 'exports.handler = async () => "new code";' }];
    const [before, after] = await Promise.all(folders.map((files) => folder(files)));
    const { invoke, platform } = await bench({
      files: {},
      codeDirectory: async () => (version === 1 ? before : after) ?? '',
    });
    const idle = (await invoke()).value as Answer;
    const running = invoke({ wait: 400 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    version = 2;
    platform.reload();
    const next = await invoke();
    expect(next).toMatchObject({ value: 'new code', coldStart: true });
    const finished = await running;
    expect(finished).toMatchObject({ value: { pid: idle.pid } });
    await until(() => !isAlive(idle.pid));
  });

  it('of one function leaves the others as they are', async () => {
    const { invoke, platform } = await bench({ files: app, functions: [lambda(), lambda({ key: 'other' })] });
    await Promise.all([invoke(), invoke({}, { key: 'other' })]);
    platform.reload(['other']);
    expect(await invoke()).toMatchObject({ coldStart: false });
    expect(await invoke({}, { key: 'other' })).toMatchObject({ coldStart: true });
  });
});

describe('stop', () => {
  it('leaves no process and no port, answers what runs, and refuses what comes', async () => {
    const { invoke, platform } = await bench({ files: app, maximumEnvironments: 1 });
    const { pid, api } = (await invoke()).value as Answer;
    const running = invoke({ wait: 60_000 });
    const waiting = invoke();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await platform.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await refusesConnections(api)).toBe(true);
    expect((await running).error?.kind).toBe('crash');
    expect((await waiting).error?.kind).toBe('throttled');
    expect((await invoke()).error).toMatchObject({ kind: 'throttled', message: 'The platform has been stopped' });
  });

  it('while an environment gets ready ends it too', async () => {
    const { invoke, platform, code } = await bench({
      files: {
        'app.mjs': `import fs from 'node:fs'; fs.writeFileSync(import.meta.dirname + '/pid', String(process.pid)); await new Promise((r) => setTimeout(r, 60_000)); export const handler = 1;`,
      },
    });
    const starting = invoke();
    const pid = Number(await until(() => readFile(join(code, 'pid'), 'utf8').catch(() => undefined)));
    await platform.stop();
    expect((await starting).error).toBeDefined();
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the death of the process that runs the platform', () => {
  it('takes every environment with it, also one in an endless loop', async () => {
    const place = await folder({
      'app.js': `const fs = require('node:fs'); exports.handler = async (e) => { fs.writeFileSync(__dirname + '/' + e.name, String(process.pid)); for (; e.loop;); };`,
      'parent.mjs': `
        import { createLambdaPlatform } from ${JSON.stringify(join(import.meta.dirname, '../../src/lambda/index.ts'))};
        const lambda = ${JSON.stringify(lambda({ timeoutSeconds: 60 }))};
        const none = () => {};
        const platform = await createLambdaPlatform({ service: { name: 's', region: 'eu-west-1', functions: [lambda] }, environment: {},
          sink: { segment: none, log: none, rejected: none }, codeDirectory: async () => import.meta.dirname });
        const invoke = (event) => platform.invoke('main', { payload: JSON.stringify(event), trace: { root: '1-6b031200-be739c5ed9d07e269a6a0b85', sampled: false } });
        const loop = invoke({ name: 'loop', loop: true });
        await invoke({ name: 'idle' });
        console.log('up');
        await loop;`,
    });
    const parent = spawn(process.execPath, [join(place, 'parent.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    const pidOf = async (name: string) =>
      Number(await until(() => readFile(join(place, name), 'utf8').catch(() => undefined)));
    const pids = [await pidOf('loop'), await pidOf('idle')];
    onTestFinished(() => {
      for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
    });
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await until(() => pids.every((pid) => !isAlive(pid)));
  });
});
