import { describe, expect, it, vi } from 'vitest';
import { newRoot } from '../../src/trace/trace-id.ts';
import { bench, isAlive, lambda, runtimeClients, until } from './platform.ts';

describe.each(runtimeClients)('with $client', ({ runtimeClient, missing }) => {
  const test = it.skipIf(missing);
  const client = runtimeClient ? { runtimeClient } : {};

  test('ends a function at its timeout, also one that never yields, and starts anew', async () => {
    const { invoke, logged, messages } = await bench({
      ...client,
      files: {
        'app.js':
          'exports.handler = async (e) => { console.log("pid", process.pid); if (e.loop) for (;;); return process.pid; };',
      },
      functions: [lambda({ timeoutSeconds: 1 })],
    });
    const before = await invoke();
    const result = await invoke({ loop: true });
    const message = expect.stringMatching(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z ${result.requestId} Task timed out after 1\\.00 seconds$`),
    );
    expect(result.error).toEqual({ kind: 'timeout', type: 'Sandbox.Timedout', message });
    expect(result.value).toEqual({ errorType: 'Sandbox.Timedout', errorMessage: message });
    await logged(/^REPORT .*Duration: 1000\.00 ms\t.*Status: timeout/);
    expect(messages()).toContainEqual(message);
    expect(isAlive(before.value as number)).toBe(false);
    expect(await invoke()).toMatchObject({ coldStart: true });
  });

  test('keeps every line of a JSON log JSON, also what the platform says of an end', async () => {
    const { invoke, messages } = await bench({
      ...client,
      files: { 'app.js': 'exports.handler = async () => new Promise((resolve) => setTimeout(resolve, 60_000));' },
      functions: [lambda({ timeoutSeconds: 1, environment: { AWS_LAMBDA_LOG_FORMAT: 'JSON' } })],
    });
    const { requestId } = await invoke();
    const lines = messages().map((message) => JSON.parse(message) as unknown);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'ERROR', requestId, message: expect.stringMatching(/Task timed out/) }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({
        type: 'platform.report',
        record: expect.objectContaining({ requestId, status: 'timeout' }),
      }),
    );
  });

  test('reports a process that ends itself', async () => {
    const { invoke, logged } = await bench({
      ...client,
      files: {
        'app.js':
          'exports.handler = async (e) => { if (e.exit) { process.stderr.write("last words\\n"); process.exit(3); } };',
      },
    });
    await invoke();
    const result = await invoke({ exit: true });
    const message = `RequestId: ${result.requestId} Error: Runtime exited with error: exit status 3`;
    expect(result.error).toEqual({ kind: 'crash', type: 'Runtime.ExitError', message });
    expect(result.value).toEqual({ errorType: 'Runtime.ExitError', errorMessage: message });
    expect(await logged(/^last words$/)).toMatchObject({ requestId: result.requestId });
    expect((await logged(/Runtime exited/)).message).toBe(`${message}\nRuntime.ExitError`);
    await logged(/^REPORT .*Status: error\tError Type: Runtime\.ExitError/);
    expect(await invoke()).toMatchObject({ coldStart: true, value: null });
  });

  test('kills a function that takes more memory than it has', async () => {
    const { invoke, logged } = await bench({
      ...client,
      // Buffers are not on V8's heap: only the platform can see them.
      files: {
        'app.js': `const kept = []; exports.handler = async (e) => { for (;e.grow;) { kept.push(Buffer.alloc(5e6, 1)); await new Promise((r) => setTimeout(r, 5)); } return 1; };`,
      },
      functions: [lambda({ memoryMegabytes: 128, timeoutSeconds: 20 })],
    });
    expect((await invoke()).error).toBeUndefined();
    const result = await invoke({ grow: true });
    expect(result.error).toEqual({
      kind: 'crash',
      type: 'Runtime.ExitError',
      message: `RequestId: ${result.requestId} Error: Runtime exited with error: signal: killed`,
    });
    await logged(
      /^REPORT .*Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime\.OutOfMemory/,
    );
    expect(await invoke()).toMatchObject({ coldStart: true, value: 1 });
  });

  test('lets V8 end a function whose heap is full', async () => {
    const { invoke } = await bench({
      ...client,
      files: {
        'app.js': 'const kept = []; exports.handler = async () => { for (;;) kept.push(new Array(1000).fill({})); };',
      },
      functions: [lambda({ memoryMegabytes: 128, timeoutSeconds: 20 })],
    });
    expect((await invoke()).error).toMatchObject({
      kind: 'crash',
      type: 'Runtime.ExitError',
      // Which of the two limits is met first is a matter of microseconds.
      message: expect.stringMatching(/Runtime exited with error: (signal: aborted|signal: killed)/),
    });
  });

  test('reports a process that ends while it gets ready', async () => {
    const { invoke } = await bench({ ...client, files: { 'app.js': 'process.exit(7);' } });
    const result = await invoke();
    expect(result.error).toEqual({
      kind: 'init',
      type: 'Runtime.ExitError',
      message: `RequestId: ${result.requestId} Error: Runtime exited with error: exit status 7`,
    });
  });

  test('tries an init that takes too long once more, within the function’s timeout', async () => {
    const files = {
      'app.mjs': `import fs from 'node:fs'; const mark = import.meta.dirname + '/tried'; const first = !fs.existsSync(mark);
        fs.writeFileSync(mark, ''); if (first) await new Promise((r) => setTimeout(r, 60_000));
        export const handler = async () => 'ready';`,
    };
    const { invoke, logged } = await bench({ ...client, files, initMilliseconds: 400 });
    const result = await invoke();
    expect(result).toMatchObject({ value: 'ready', coldStart: true });
    await logged(/^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: timeout$/);
  });

  test('answers when the second init takes too long as well', async () => {
    const { invoke, sink, logged } = await bench({
      ...client,
      files: { 'app.mjs': 'await new Promise((r) => setTimeout(r, 60_000)); export const handler = async () => 1;' },
      functions: [lambda({ timeoutSeconds: 1 })],
      initMilliseconds: 300,
    });
    const result = await invoke();
    expect(result.error).toMatchObject({
      kind: 'timeout',
      message: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
    });
    await logged(/^REPORT/);
    expect(sink.segments.at(-1)).toMatchObject({ fault: true, subsegments: [{ name: 'Init', fault: true }] });
  });
});

describe('the platform', () => {
  const echo = {
    'app.js':
      'exports.handler = async (e) => { await new Promise((r) => setTimeout(r, e.wait ?? 0)); return process.pid; };',
  };

  it('refuses an event over 6 MB before it starts anything', async () => {
    const { platform, sink } = await bench({ files: echo });
    const trace = { root: newRoot(), sampled: true };
    const result = await platform.invoke('main', { payload: `"${'x'.repeat(6_291_555)}"`, trace });
    expect(result.error).toMatchObject({ kind: 'request-too-large', type: 'RequestTooLarge' });
    expect(sink.logs).toEqual([]);
    expect(sink.segments).toMatchObject([{ origin: 'AWS::Lambda', error: true, http: { response: { status: 413 } } }]);
    expect((await platform.invoke('main', { payload: `"${'x'.repeat(6_291_554)}"`, trace })).error).toBeUndefined();
  });

  it('throttles what is over the reserved concurrency', async () => {
    const { invoke, sink } = await bench({ files: echo, functions: [lambda({ reservedConcurrency: 1 })] });
    const running = invoke({ wait: 500 });
    const refused = await invoke();
    expect(refused.error).toEqual({ kind: 'throttled', type: 'TooManyRequestsException', message: 'Rate Exceeded.' });
    expect(refused.value).toEqual({ errorType: 'TooManyRequestsException', errorMessage: 'Rate Exceeded.' });
    expect(sink.segments.find((document) => document.throttle)).toMatchObject({
      origin: 'AWS::Lambda',
      error: true,
      throttle: true,
      http: { response: { status: 429 } },
      end_time: expect.any(Number),
    });
    expect((await running).error).toBeUndefined();
  });

  it('throttles nothing that comes after the answer to what had the reserved concurrency', async () => {
    const { invoke } = await bench({ files: echo, functions: [lambda({ reservedConcurrency: 1 })] });
    for (let count = 0; count < 5; count += 1) expect((await invoke({}, { atOnce: true })).error).toBeUndefined();
  });

  it('throttles everything where no concurrency is reserved', async () => {
    const { invoke } = await bench({ files: echo, functions: [lambda({ reservedConcurrency: 0 })] });
    expect((await invoke()).error?.kind).toBe('throttled');
  });

  it('queues what is over the limit of environments, and gives a place that another function does not use', async () => {
    const { invoke } = await bench({
      files: echo,
      functions: [lambda(), lambda({ key: 'other' })],
      maximumEnvironments: 2,
    });
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => invoke({ wait: 50 })));
    expect(results.every((result) => !result.error)).toBe(true);
    expect(new Set(results.map((result) => result.value)).size).toBeLessThanOrEqual(2);
    const other = await invoke({}, { key: 'other' });
    expect(other).toMatchObject({ coldStart: true });
    expect(other.error).toBeUndefined();
    await until(() => results.some((result) => !isAlive(result.value as number)));
  });

  it('lets two functions of one burst keep their environments, and does not start each in the place of the other', async () => {
    const { invoke } = await bench({
      files: echo,
      functions: [lambda(), lambda({ key: 'other' })],
      maximumEnvironments: 4,
    });
    const burst = Array.from({ length: 60 }, (_, index) =>
      invoke({ wait: 10 }, index % 3 ? { key: 'other' } : undefined),
    );
    const results = await Promise.all(burst);
    expect(results.every((result) => !result.error)).toBe(true);
    // Four to begin with, and those that take the places of the function whose requests end first.
    expect(results.filter(({ coldStart }) => coldStart).length).toBeLessThanOrEqual(8);
  });

  it('throttles at once what is over the account’s concurrency, and nothing below it', async () => {
    const { invoke } = await bench({ files: echo, accountConcurrency: 30, maximumEnvironments: 2 });
    const results = await Promise.all(Array.from({ length: 40 }, () => invoke({ wait: 20 })));
    expect(results.filter(({ error }) => error?.kind === 'throttled')).toHaveLength(10);
    expect(results.filter(({ error }) => !error)).toHaveLength(30);
  });

  it('serves a function at once while another has all environments at work and a queue', async () => {
    const { invoke } = await bench({
      files: echo,
      functions: [lambda({ timeoutSeconds: 60 }), lambda({ key: 'other' })],
      maximumEnvironments: 2,
    });
    const saturating = Array.from({ length: 20 }, () => invoke({ wait: 20_000 }, { atOnce: true }));
    const ended = vi.fn();
    for (const one of saturating) one.then(ended);
    expect((await invoke({}, { key: 'other' })).error).toBeUndefined();
    expect(ended).not.toHaveBeenCalled();
  });

  it('drops what waits when its caller leaves, and answers the next one', async () => {
    const { platform, invoke, sink } = await bench({ files: echo, maximumEnvironments: 1 });
    const callers = new AbortController();
    const payload = JSON.stringify({ wait: 200 });
    const results = Array.from({ length: 1000 }, () =>
      platform.invoke('main', { payload, trace: { root: newRoot(), sampled: true }, signal: callers.signal }),
    );
    await until(() => sink.logs.some(({ message }) => message.startsWith('START')));
    expect((await invoke()).error?.kind).toBe('throttled');
    callers.abort();
    expect((await invoke()).error).toBeUndefined();
    const dropped = (await Promise.all(results)).filter(({ error }) => error?.kind === 'abandoned');
    expect(dropped.length).toBeGreaterThan(990);
    expect(sink.logs.filter(({ message }) => message.startsWith('START')).length).toBeLessThan(10);
  });

  it('gives an environment that is about to be free to what waits, and starts no process for it', async () => {
    // An invocation waits as long as a cold start takes: a slow one, so that a busy machine cannot
    // make the waiting invocations give up.
    const slowInit = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);';
    const { invoke } = await bench({ files: { 'app.js': slowInit + echo['app.js'] } });
    await invoke();
    const results = await Promise.all(Array.from({ length: 8 }, () => invoke({ wait: 1 }, { atOnce: true })));
    expect(results.filter(({ coldStart }) => coldStart)).toEqual([]);
  });

  it('says every few seconds while they last which functions have a backlog, and when it is over', async () => {
    const sentences: string[] = [];
    const { invoke } = await bench({
      files: echo,
      functions: [lambda({ timeoutSeconds: 10 })],
      maximumEnvironments: 1,
      onBacklog: (sentence) => sentences.push(sentence),
    });
    const results = [invoke({ wait: 2500 }), invoke()];
    await until(() => sentences.some((sentence) => sentence.includes('no invocation is waiting any more')));
    expect(sentences[0]).toMatch(/^main: 1 invocation waiting for 1 environment, the oldest for \d\.\d s$/);
    await Promise.all(results);
  });

  it('answers with the reason when there is no code', async () => {
    const { invoke, sink } = await bench({
      files: {},
      codeDirectory: async () => {
        throw new Error('handlers/main.ts:3:7: Expected ";"');
      },
    });
    expect((await invoke()).error).toEqual({
      kind: 'no-code',
      type: 'Runtime.ImportModuleError',
      message: 'handlers/main.ts:3:7: Expected ";"',
    });
    expect(sink.segments.at(-1)).toMatchObject({ fault: true, origin: 'AWS::Lambda::Function' });
  });

  it('rejects a function that the service does not have', async () => {
    const { platform } = await bench({ files: echo });
    const trace = { root: newRoot(), sampled: false };
    await expect(platform.invoke('none', { payload: '{}', trace })).rejects.toThrow(
      'The service service has no function none',
    );
  });
});
