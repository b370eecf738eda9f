import { describe, expect, it } from 'vitest';
import { awsClient, bench, folder, lambda, runtimeClients, until } from './platform.ts';

if (!awsClient)
  console.warn("AWS's runtime client is not tried here: AWS_LAMBDA_RIC does not name the folder of aws-lambda-ric");

describe.each(runtimeClients)('with $client', ({ runtimeClient, missing }) => {
  const test = it.skipIf(missing);
  const client = runtimeClient ? { runtimeClient } : {};

  test('gives the handler its event and context, and the caller what the handler returns', async () => {
    const { invoke } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async (event, context) => ({ event, ...context, left: context.getRemainingTimeInMillis() });`,
      },
    });
    const result = await invoke({ name: 'Wörf', emoji: '🖖' });
    expect(result.error).toBeUndefined();
    expect(result.value).toMatchObject({
      event: { name: 'Wörf', emoji: '🖖' },
      awsRequestId: result.requestId,
      functionName: 'service-test-main',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:service-test-main',
      memoryLimitInMB: '256',
      logGroupName: '/aws/lambda/service-test-main',
      logStreamName: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    });
    const { left } = result.value as { left: number };
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(3000);
  });

  test('keeps an environment for the next invocation, and says which start was cold', async () => {
    const { invoke } = await bench({
      ...client,
      files: { 'app.js': 'let count = 0; exports.handler = async () => [process.pid, ++count];' },
    });
    const [first, second] = [await invoke(), await invoke()];
    expect(first.coldStart).toBe(true);
    expect(second.coldStart).toBe(false);
    expect(second.value).toEqual([(first.value as number[])[0], 2]);
  });

  test('runs concurrent invocations in environments of their own', async () => {
    const { invoke } = await bench({
      ...client,
      files: {
        'app.js':
          'exports.handler = async () => { await new Promise((r) => setTimeout(r, 2500)); return process.pid; };',
      },
    });
    const results = await Promise.all([invoke(), invoke(), invoke()]);
    expect(new Set(results.map((result) => result.value)).size).toBe(3);
  });

  test.each([
    ['returns nothing', 'async () => {}', null],
    ['returns a string', `async () => 'text'`, 'text'],
    ['is not async and returns a value', '() => 7', 7],
  ])('answers with JSON when the handler %s', async (_case, handler, expected) => {
    const { invoke } = await bench({ ...client, files: { 'app.js': `exports.handler = ${handler};` } });
    expect((await invoke()).value).toEqual(expected);
  });

  test('answers with the error that the handler threw, and goes on with the same process', async () => {
    const { invoke, logged } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async (e) => { if (e.fail) throw new RangeError('too far'); return process.pid; };`,
      },
    });
    const before = await invoke();
    const failed = await invoke({ fail: true });
    expect(failed.error).toEqual({ kind: 'thrown', type: 'RangeError', message: 'too far' });
    expect(failed.value).toEqual({
      errorType: 'RangeError',
      errorMessage: 'too far',
      trace: expect.arrayContaining(['RangeError: too far']),
    });
    expect((await logged(/\tERROR\tInvoke Error/)).message).toContain('"errorType":"RangeError"');
    expect((await invoke()).value).toBe(before.value);
  });

  test('answers with an error when the result has no JSON', async () => {
    const { invoke } = await bench({
      ...client,
      files: { 'app.js': 'exports.handler = async () => { const a = {}; a.a = a; return a; };' },
    });
    expect((await invoke()).error).toMatchObject({ kind: 'thrown', type: 'Runtime.JSONStringifyError' });
  });

  test.each([
    ['an ES module', 'app.handler', { 'app.mjs': 'export const handler = async () => "esm";' }, 'esm'],
    [
      'an ES module with top-level await',
      'app.handler',
      { 'app.mjs': 'const x = await 5; export const handler = async () => x;' },
      5,
    ],
    ['a .cjs file', 'app.handler', { 'app.cjs': 'exports.handler = async () => "cjs";' }, 'cjs'],
    [
      'a folder and a nested export',
      'src/api/app.routes.get',
      { 'src/api/app.js': 'exports.routes = { get: async () => "nested" };' },
      'nested',
    ],
    [
      'a .js file where package.json says module',
      'app.handler',
      { 'app.js': 'export const handler = async () => "js";', 'package.json': '{"type":"module"}' },
      'js',
    ],
  ])('loads %s', async (_case, handler, files, expected) => {
    const { invoke } = await bench({ ...client, files, functions: [lambda({ handler })] });
    expect((await invoke()).value).toBe(expected);
  });

  test.each([
    ['a missing file', 'none.handler', 'Runtime.ImportModuleError'],
    ['a missing dependency', 'missing.handler', 'Runtime.ImportModuleError'],
    ['a missing export', 'app.none', 'Runtime.HandlerNotFound'],
    ['an export that is not a function', 'app.text', 'Runtime.HandlerNotFound'],
    ['a syntax error', 'syntax.handler', 'Runtime.UserCodeSyntaxError'],
    ['a TypeScript file', 'typed.handler', 'Runtime.ImportModuleError'],
    ['a name that leads out of the folder', '../app.handler', 'Runtime.MalformedHandlerName'],
    ['code that throws while it is loaded', 'throws.handler', 'TypeError'],
    ['a callback handler on nodejs24.x', 'app.callback', 'Runtime.CallbackHandlerDeprecated'],
  ])('reports %s as the error of init, tried twice', async (_case, handler, type) => {
    const { invoke, messages, sink } = await bench({
      ...client,
      files: {
        'app.js': 'exports.text = "text"; exports.callback = (event, context, callback) => callback();',
        'missing.js': 'require("not-there"); exports.handler = async () => 1;',
        'syntax.js': 'exports.handler = async () => { return',
        'typed.ts': 'export const handler = async (): Promise<number> => 1;',
        'throws.js': 'null.x;',
      },
      functions: [lambda({ handler })],
    });
    const result = await invoke();
    expect(result.error).toMatchObject({ kind: 'init', type });
    expect(result.value).toMatchObject({ errorType: type, errorMessage: result.error?.message });
    await until(() => messages().some((message) => message.startsWith('REPORT')));
    const reports = messages().filter((message) => message.startsWith('INIT_REPORT'));
    expect(reports).toEqual([
      expect.stringMatching(
        new RegExp(`^INIT_REPORT Init Duration: [\\d.]+ ms\tPhase: init\tStatus: error\tError Type: ${type}$`),
      ),
      expect.stringMatching(/Phase: invoke\tStatus: error/),
    ]);
    const segment = sink.segments.findLast((document) => document.origin === 'AWS::Lambda::Function');
    expect(segment).toMatchObject({ fault: true, cause: { exceptions: [{ type }] } });
  });

  test('has the trace header and the invoke store of each invocation', async () => {
    const { invoke, sink } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async (e, context) => ({
          variable: process.env._X_AMZN_TRACE_ID, context: context.xRayTraceId,
          store: awslambda.InvokeStore.getXRayTraceId(), id: awslambda.InvokeStore.getRequestId() });`,
      },
    });
    const trace = { root: '1-6b031200-be739c5ed9d07e269a6a0b85', parent: '0123456789abcdef', rest: 'Lineage=1:abc:0' };
    await invoke();
    const result = await invoke({}, { trace });
    const segment = sink.segments.find((one) => one.origin === 'AWS::Lambda::Function' && one.trace_id === trace.root);
    const header = `Root=${trace.root};Parent=${segment?.id};Sampled=1;Lineage=1:abc:0`;
    expect(result.value).toEqual({ variable: header, context: header, store: header, id: result.requestId });
  });

  test('writes console calls as Lambda does, one record for each however many lines it has', async () => {
    const { invoke, sink, logged } = await bench({
      ...client,
      files: {
        'app.js': `console.info('loaded');
          exports.handler = async () => { console.log('two\\nlines', { a: 1 }); console.warn('careful'); process.stdout.write('pl'); process.stdout.write('ain\\n'); };`,
      },
    });
    const { requestId } = await invoke();
    await logged(/^REPORT/);
    const line = (part: string) => sink.logs.find((record) => record.message.includes(part));
    expect(line('two')?.message).toMatch(
      new RegExp(`^\\d{4}-[\\d-]+T[\\d:.]+Z\t${requestId}\tINFO\ttwo\nlines { a: 1 }$`),
    );
    expect(line('careful')).toMatchObject({ level: 'WARN', requestId, functionName: 'service-test-main' });
    expect(line('plain')).toMatchObject({
      message: 'plain',
      requestId,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(line('loaded')).toMatchObject({ requestId });
  });

  test('writes JSON where the log format is JSON, the platform too', async () => {
    const { invoke, logged } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async () => { console.log('text', new Error('inside')); console.debug('hidden'); };`,
      },
      functions: [lambda({ environment: { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: 'INFO' } })],
    });
    const { requestId } = await invoke();
    expect(JSON.parse((await logged(/platform\.report/)).message)).toMatchObject({
      type: 'platform.report',
      record: {
        requestId,
        status: 'success',
        metrics: { memorySizeMB: 256, durationMs: expect.any(Number) },
        tracing: { type: 'X-Amzn-Trace-Id' },
      },
    });
    expect(JSON.parse((await logged(/inside/)).message)).toMatchObject({
      level: 'INFO',
      requestId,
      errorType: 'Error',
      errorMessage: 'inside',
    });
    expect(await logged(/platform\.start/)).toMatchObject({ requestId });
  });

  test('logs JSON at and above the levels that the service configures, also what bypasses the console', async () => {
    const { invoke, sink } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async () => {
          console.info('information');
          console.warn('a warning');
          process.stdout.write('{"level":"debug","message":"own logger, debug"}\\n{"level":"ERROR","message":"own logger, error"}\\n');
          process.stdout.write('plain text\\n');
          return [process.env.AWS_LAMBDA_LOG_FORMAT, process.env.AWS_LAMBDA_LOG_LEVEL, process.env.AWS_LAMBDA_LOG_GROUP_NAME];
        };`,
      },
      functions: [
        lambda({
          logging: { format: 'JSON', applicationLevel: 'WARN', systemLevel: 'WARN', logGroup: '/services/mine' },
        }),
      ],
    });
    expect((await invoke({}, { atOnce: true })).value).toEqual(['JSON', 'WARN', '/services/mine']);
    await until(() => sink.logs.some(({ message }) => message === 'plain text'));
    const messages = sink.logs.map(({ message }) => message);
    expect(messages.find((message) => message.includes('a warning'))).toContain('"level":"WARN"');
    expect(messages.join('\n')).toContain('own logger, error');
    expect(messages.join('\n')).not.toMatch(/information|own logger, debug|platform\.(start|report|initStart)/);
    expect(sink.logs.every(({ logGroup }) => logGroup === '/services/mine')).toBe(true);
  });

  test('gives what is written without a line end to the invocation that wrote it, on both streams', async () => {
    const { invoke, sink } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = async ({ name }) => {
          process.stdout.write('whole ' + name + '\\npartial ' + name);
          process.stderr.write('error ' + name);
        };`,
      },
    });
    const first = await invoke({ name: 'one' });
    const second = await invoke({ name: 'two' });
    const lines = sink.logs
      .filter(({ message }) => /^(whole|partial|error) /.test(message))
      .map(({ message, requestId }) => [message, requestId]);
    expect(lines.sort()).toEqual([
      ['error one', first.requestId],
      ['error two', second.requestId],
      ['partial one', first.requestId],
      ['partial two', second.requestId],
      ['whole one', first.requestId],
      ['whole two', second.requestId],
    ]);
  });

  test('takes a streamed response as a whole', async () => {
    const { invoke } = await bench({
      ...client,
      files: {
        'app.js': `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
            const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'x-a': 'b' }, cookies: ['c=d'] });
            out.write('one '); out.write('two'); out.end(); });
          exports.plain = awslambda.streamifyResponse(async (event, stream) => { stream.setContentType('text/plain'); stream.write('just '); stream.end('text'); });
          exports.broken = awslambda.streamifyResponse(async (event, stream) => { stream.write('half'); throw new TypeError('midway'); });`,
      },
      functions: [
        lambda(),
        lambda({ key: 'plain', handler: 'app.plain' }),
        lambda({ key: 'broken', handler: 'app.broken' }),
      ],
    });
    expect((await invoke()).value).toEqual({
      statusCode: 201,
      headers: { 'x-a': 'b' },
      multiValueHeaders: { 'Set-Cookie': ['c=d'] },
      body: 'one two',
      isBase64Encoded: false,
    });
    expect((await invoke({}, { key: 'plain' })).value).toBe('just text');
    expect((await invoke({}, { key: 'broken' })).error).toEqual({
      kind: 'thrown',
      type: 'TypeError',
      message: 'midway',
    });
    expect((await invoke()).coldStart).toBe(false);
  });

  test('refuses a response over 6 MB, and the environment goes on', async () => {
    const { invoke } = await bench({
      ...client,
      files: { 'app.js': `exports.handler = async (e) => 'x'.repeat(e.size);` },
    });
    // Two quotes make it JSON.
    const largest = await invoke({ size: 6_291_556 - 2 });
    expect(largest.error).toBeUndefined();
    const over = await invoke({ size: 6_291_556 - 1 });
    expect(over.error).toEqual({
      kind: 'response-too-large',
      type: 'Function.ResponseSizeTooLarge',
      message: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
    });
    const after = await invoke({ size: 1 });
    expect(after).toMatchObject({ value: 'x', coldStart: false });
  });
});

describe('the own runtime client', () => {
  it.each([
    ['rejects', `Promise.reject(new Error('lost'))`, 'Runtime.UnhandledPromiseRejection', 'Error: lost'],
    ['throws', `setTimeout(() => { throw new SyntaxError('late') })`, 'SyntaxError', 'late'],
  ])(
    'answers with the error when something that nobody waits for %s, and starts anew',
    async (_case, code, type, message) => {
      const { invoke, logged } = await bench({
        files: {
          'app.js': `exports.handler = async (e) => { if (!e.fail) return; ${code}; await new Promise((r) => setTimeout(r, 2000)); };`,
        },
      });
      await invoke();
      const failed = await invoke({ fail: true });
      expect(failed.error).toEqual({ kind: 'thrown', type, message });
      await logged(/Status: error\tError Type/);
      expect(await invoke()).toMatchObject({ coldStart: true, value: null });
    },
  );

  it('is not thought ready for the next invocation when the handler goes on after an error that nobody caught', async () => {
    const { invoke } = await bench({
      files: {
        'app.js':
          'exports.handler = async (e) => { if (e.fail) Promise.reject(new Error("lost")); return "went on"; };',
      },
    });
    for (let round = 0; round < 5; round += 1) {
      const failed = await invoke({ fail: true }, { atOnce: true });
      expect(failed.error).toMatchObject({ type: 'Runtime.UnhandledPromiseRejection' });
      expect(await invoke()).toMatchObject({ value: 'went on', coldStart: true });
    }
  });

  it.each([
    ['calls back', '(event, context, callback) => { setTimeout(() => callback(null, "called"), 10); }', 'called'],
    [
      'waits for an empty event loop',
      '(event, context, callback) => { let n = 0; const out = {}; setTimeout(() => { out.n = 1; }, 30); callback(null, out); }',
      { n: 1 },
    ],
    [
      'does not want to wait',
      '(event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setInterval(() => {}, 1000); callback(null, "now"); }',
      'now',
    ],
    ['uses context.succeed', '(event, context) => { context.succeed("fine"); }', 'fine'],
    ['does nothing', '() => { setTimeout(() => {}, 10); }', null],
    ['is async', 'async () => 5', 5],
  ])('on nodejs22.x answers a handler that %s', async (_case, handler, expected) => {
    const { invoke } = await bench({
      files: { 'app.js': `exports.handler = ${handler};` },
      functions: [lambda({ runtime: 'nodejs22.x' })],
    });
    expect(await invoke()).toMatchObject({ value: expected });
    expect(await invoke()).toMatchObject({ value: expected, coldStart: false });
  });

  it('on nodejs22.x answers with the error of a callback', async () => {
    const { invoke } = await bench({
      files: { 'app.js': 'exports.handler = (event, context, callback) => callback(new TypeError("back"));' },
      functions: [lambda({ runtime: 'nodejs22.x' })],
    });
    expect((await invoke()).error).toEqual({ kind: 'thrown', type: 'TypeError', message: 'back' });
  });

  it('answers when a handler waits for what never comes and the event loop runs empty', async () => {
    const { invoke } = await bench({ files: { 'app.js': 'exports.handler = () => new Promise(() => {});' } });
    const result = await invoke();
    expect(result.error).toEqual({
      kind: 'crash',
      type: 'Runtime.ExitError',
      message: `RequestId: ${result.requestId} Error: Runtime exited without providing a reason`,
    });
  });

  it('is what @aws/lambda-invoke-store finds', async () => {
    const store = import.meta.resolve('@aws/lambda-invoke-store');
    const { invoke } = await bench({
      files: {
        'app.mjs': `import { InvokeStore } from ${JSON.stringify(store)};
          export const handler = async () => { const store = await InvokeStore.getInstanceAsync();
            store.set('own', 1);
            let refused; try { store.set(Symbol.for('_AWS_LAMBDA_REQUEST_ID'), 'x'); } catch (error) { refused = error.message; }
            return { id: store.getRequestId(), has: store.hasContext(), own: store.get('own'), refused, same: store === awslambda.InvokeStore }; };`,
      },
    });
    const result = await invoke();
    expect(result.value).toEqual({
      id: result.requestId,
      has: true,
      own: 1,
      refused: 'Cannot modify protected Lambda context field: Symbol(_AWS_LAMBDA_REQUEST_ID)',
      same: true,
    });
  });

  it('makes its calls to the Runtime API past what a layer has put around http and net before it', async () => {
    const layer = await folder({
      'hook.js': `globalThis.calls = [];
        const wrap = (object, name) => { const original = object[name]; object[name] = function (...all) { calls.push(name); return original.apply(this, all); }; object[name].__original = original; };
        wrap(require('node:http'), 'request'); wrap(require('node:http'), 'get'); wrap(require('node:net').Socket.prototype, 'connect');`,
    });
    const { invoke } = await bench({
      files: { 'app.js': 'exports.handler = async () => calls;' },
      functions: [
        lambda({
          environment: { NODE_OPTIONS: '--require /opt/hook.js' },
          layers: [{ kind: 'directory', key: 'hook', path: layer }],
        }),
      ],
    });
    await invoke();
    expect((await invoke()).value).toEqual([]);
  });
});
