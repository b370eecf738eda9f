import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BenchInput, bench, folder, lambda } from './platform.ts';

/**
 * A runtime client of a few lines that speaks the protocol by hand: `work(id, event, call)` is
 * `source`; what it logs is the test's result.
 */
async function customRuntime(source: string, input: Partial<BenchInput> = {}) {
  const client = await folder({
    'client.mjs': `
      const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
      const call = async (method, path, body, headers) => {
        const response = await fetch(base + path, { method, body, headers, ...(body instanceof ReadableStream && { duplex: 'half' }) });
        const text = await response.text();
        return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
      };
      const post = (id, body, headers) => call('POST', '/2018-06-01/runtime/invocation/' + id + '/response', body, headers);
      const next = () => call('GET', '/2018-06-01/runtime/invocation/next');
      for (;;) {
        const invocation = await next();
        const id = invocation.headers.get('lambda-runtime-aws-request-id');
        await (async () => { ${source} })();
      }`,
  });
  return bench({ files: {}, runtimeClient: [join(client, 'client.mjs')], ...input });
}

describe('the Runtime API', () => {
  it('hands out the event with the headers of the protocol', async () => {
    const { invoke } = await customRuntime(
      `await post(id, JSON.stringify({ text: invocation.text, headers: [...invocation.headers] }));`,
    );
    const result = await invoke({ a: 'ü' });
    const { text, headers } = result.value as { text: string; headers: [string, string][] };
    expect(text).toBe('{"a":"ü"}');
    expect(Object.fromEntries(headers)).toMatchObject({
      'lambda-runtime-aws-request-id': result.requestId,
      'lambda-runtime-deadline-ms': expect.stringMatching(/^\d{13}$/),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-west-1:123456789012:function:service-test-main',
      'lambda-runtime-trace-id': expect.stringMatching(
        /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/,
      ),
      'content-type': 'application/json',
    });
  });

  it('answers 202 to a response, and 400 to one for an id that is wrong or has been answered', async () => {
    const { invoke, logged } = await customRuntime(`
      const wrong = await post('8476a536-e9f4-11e8-9739-2dfe598c3fcd', '1');
      const right = await post(id, JSON.stringify(wrong));
      const again = await post(id, '2');
      const error = await call('POST', '/2018-06-01/runtime/invocation/' + id + '/error', '{}');
      console.log(JSON.stringify([right.status, right.json, again.status, again.json, error.status]));`);
    expect((await invoke()).value).toMatchObject({
      status: 400,
      json: { errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' },
    });
    const refused = { errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' };
    expect(JSON.parse((await logged(/^\[202/)).message)).toEqual([202, { status: 'OK' }, 400, refused, 400]);
  });

  it('answers 403 to a runtime that asks for the next event before it has answered', async () => {
    const { invoke } = await customRuntime(
      `const early = await next(); await post(id, JSON.stringify([early.status, early.json.errorType]));`,
    );
    expect((await invoke()).value).toEqual([403, 'InvalidStateTransition']);
  });

  it('answers 413 to a response over 6 MB', async () => {
    const { invoke, logged } = await customRuntime(
      `const { status, json } = await post(id, 'x'.repeat(7e6)); console.log(status, json.errorType);`,
    );
    expect((await invoke()).error?.kind).toBe('response-too-large');
    expect((await logged(/^413/)).message).toBe('413 RequestEntityTooLarge');
  });

  it('takes a response in chunks, with or without the streaming mode, and refuses another mode', async () => {
    const { invoke } = await customRuntime(`
      const { mode } = JSON.parse(invocation.text);
      const parts = ['{"a":', '1}'];
      const stream = new ReadableStream({ async pull(c) { const part = parts.shift(); part ? c.enqueue(new TextEncoder().encode(part)) : c.close(); await new Promise((r) => setTimeout(r, 20)); } });
      await post(id, stream, mode ? { 'Lambda-Runtime-Function-Response-Mode': mode } : {});`);
    expect((await invoke()).value).toEqual({ a: 1 });
    expect((await invoke({ mode: 'streaming' })).value).toEqual({ a: 1 });
    expect((await invoke({ mode: 'pigeon' })).error).toMatchObject({ type: 'Runtime.InvalidResponseModeHeader' });
    expect((await invoke()).coldStart).toBe(false);
  });

  it('takes an error with its type and X-Ray cause, and what is no JSON too', async () => {
    const { invoke, sink, logged } = await customRuntime(`
      const cause = JSON.stringify({ working_directory: '/var/task', paths: ['a.js'], exceptions: [{ type: 'Odd', message: 'it is', stack: [{ path: 'a.js', line: 3, label: 'f' }] }] });
      await call('POST', '/2018-06-01/runtime/invocation/' + id + '/error', 'plain words', { 'Lambda-Runtime-Function-Error-Type': 'Function.Odd', 'Lambda-Runtime-Function-XRay-Error-Cause': cause });`);
    const result = await invoke();
    expect(result.error).toEqual({ kind: 'thrown', type: 'Function.Odd', message: 'plain words' });
    expect(result.value).toEqual({ errorType: 'Function.Odd', errorMessage: 'plain words' });
    await logged(/^REPORT/);
    expect(sink.segments.at(-1)?.cause).toMatchObject({
      working_directory: '/var/task',
      exceptions: [
        {
          id: expect.stringMatching(/^[0-9a-f]{16}$/),
          type: 'Odd',
          message: 'it is',
          stack: [{ path: 'a.js', line: 3, label: 'f' }],
        },
      ],
    });
  });

  it('answers 404 to a path that it does not have, 403 to an init error after init, to a web page, and to another host name', async () => {
    const { invoke } = await customRuntime(`
      const http = await import('node:http');
      const raw = (headers) => new Promise((resolve) => http.get(base + '/2018-06-01/runtime/invocation/next', { headers }, (r) => { r.resume(); resolve(r.statusCode); }));
      const statuses = [await call('GET', '/latest/meta-data'), await call('POST', '/2018-06-01/runtime/init/error', '{}')].map((r) => r.status);
      await post(id, JSON.stringify([...statuses, await raw({ origin: 'http://evil.example' }), await raw({ host: 'evil.example:80' })]));`);
    expect((await invoke()).value).toEqual([404, 403, 403, 403]);
  });

  it('ends an invocation at its timeout when the runtime answers nothing, and one that answers with half a body', async () => {
    const source = `
      const net = await import('node:net'); const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
      net.connect(port, host).write('POST /2018-06-01/runtime/invocation/' + id + '/response HTTP/1.1\\r\\nHost: ' + host + ':' + port + '\\r\\nContent-Length: 10\\r\\n\\r\\n12345');
      await new Promise(() => setTimeout(() => {}, 1e6));`;
    const { invoke } = await customRuntime(source, { functions: [lambda({ timeoutSeconds: 1 })] });
    expect((await invoke()).error?.kind).toBe('timeout');
  });
});
