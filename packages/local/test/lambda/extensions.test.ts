import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bench, folder, lambda, runtimeClients, until } from './platform.ts';

/**
 * Code of an extension: `call(method, path, body, headers)` and `register(name, events, headers)`.
 */
const extension = `
  const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : text, id: response.headers.get('lambda-extension-identifier') };
  };
  const register = (name, events, headers) => call('POST', '/2020-01-01/extension/register', { events }, { 'Lambda-Extension-Name': name, ...headers });
  const nextEvent = (id) => call('GET', '/2020-01-01/extension/event/next', undefined, { 'Lambda-Extension-Identifier': id });
`;

describe.each(runtimeClients)('an extension inside the process, with $client', ({ runtimeClient, missing }) => {
  const test = it.skipIf(missing);
  const client = runtimeClient ? { runtimeClient } : {};

  test('gets each invocation, and holds the environment while the caller has its answer', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'extension-'));
    const release = path.join(directory, 'release');
    const { invoke, logged, sink } = await bench({
      ...client,
      files: {
        'app.mjs': `import { existsSync } from 'node:fs';
          ${extension}
          const { id } = await register('shipper', ['INVOKE']);
          const released = async () => { while (!existsSync(${JSON.stringify(release)})) await new Promise((r) => setTimeout(r, 5)); };
          (async () => { for (;;) { const { json } = await nextEvent(id); console.log('event ' + JSON.stringify(json)); await released(); console.log('shipped'); } })();
          export const handler = async () => process.pid;`,
      },
    });
    const result = await invoke({}, { atOnce: true });
    expect(sink.logs.some((record) => record.message.includes('shipped'))).toBe(false);
    // Held: a request until then gets another environment.
    const meanwhile = await invoke({}, { atOnce: true });
    expect(meanwhile.value).not.toBe(result.value);
    await writeFile(release, '');
    const event = JSON.parse((await logged(/event \{/)).message.replace(/^.*event /, ''));
    expect(event).toEqual({
      eventType: 'INVOKE',
      deadlineMs: expect.any(Number),
      requestId: result.requestId,
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:service-test-main',
      tracing: { type: 'X-Amzn-Trace-Id', value: expect.stringMatching(/^Root=/) },
    });
    await logged(new RegExp(`^REPORT RequestId: ${result.requestId}`));
    const lines = sink.logs.filter((record) => record.requestId === result.requestId).map((record) => record.message);
    const shipped = lines.findIndex((message) => message.endsWith('shipped'));
    expect(shipped).toBeGreaterThan(-1);
    expect(shipped).toBeLessThan(lines.findIndex((message) => message.startsWith('REPORT')));
    const segment = sink.segments.find((one) => one.origin === 'AWS::Lambda::Function' && !one.in_progress);
    expect(segment?.annotations?.['aws.extensionOverhead']).toBeGreaterThan(0);
    await rm(directory, { recursive: true });
  });

  test('that outlasts the timeout ends the environment, not the answer', async () => {
    const { invoke, logged } = await bench({
      ...client,
      files: {
        'app.mjs': `${extension}
          const { id } = await register('stuck', ['INVOKE']);
          nextEvent(id).then(() => setTimeout(() => {}, 60_000));
          export const handler = async () => 'answered';`,
      },
      functions: [lambda({ timeoutSeconds: 1 })],
    });
    const result = await invoke();
    expect(result).toMatchObject({ value: 'answered' });
    expect(result.error).toBeUndefined();
    await logged(/Task timed out after 1\.00 seconds$/);
    await logged(/^REPORT .*Status: timeout/);
  });
});

describe('the Extensions API', () => {
  it('refuses what an extension inside the process may not have, and every wrong request, in Lambda’s words', async () => {
    const { invoke } = await bench({
      files: {
        'app.mjs': `${extension}
          const seen = [
            await register('a', ['INVOKE', 'SHUTDOWN']), await register('', ['INVOKE']), await register('a', ['PARTY']), await register('a', 'INVOKE'),
            await call('GET', '/2020-01-01/extension/event/next'), await nextEvent('none'),
            await register('a', ['INVOKE'], { 'Lambda-Extension-Accept-Feature': 'accountId' }), await register('a', ['INVOKE']),
          ];
          nextEvent(seen[6].id).then(() => nextEvent(seen[6].id));
          export const handler = async () => [...seen, await register('late', ['INVOKE'])].map(({ status, json }) => [status, json.errorType ?? json]);`,
      },
    });
    expect((await invoke()).value).toEqual([
      [403, 'Extension.InvalidEventType'],
      [403, 'Extension.InvalidExtensionName'],
      [403, 'Extension.InvalidEventType'],
      [403, 'InvalidRequestFormat'],
      [403, 'Extension.MissingExtensionIdentifier'],
      [403, 'Extension.UnknownExtensionIdentifier'],
      [
        200,
        {
          functionName: 'service-test-main',
          functionVersion: '$LATEST',
          handler: 'app.handler',
          accountId: '123456789012',
        },
      ],
      [403, 'Extension.InvalidExtensionState'],
      [403, 'Extension.RegistrationClosed'],
    ]);
  });

  it('starts the executables of a layer, waits for them, gives them INVOKE and SHUTDOWN, and lets them finish', async () => {
    const layer = await folder({
      'extensions/agent!': `#!/usr/bin/env node
        ${extension}
        (async () => {
          await new Promise((r) => setTimeout(r, 200));
          // Before it registers: two processes' lines after that may come in any order.
          console.log('agent registers');
          const { id } = await register('agent', ['INVOKE', 'SHUTDOWN']);
          for (;;) {
            const { json } = await nextEvent(id);
            console.log('agent ' + json.eventType + ' ' + (json.shutdownReason ?? ''));
            if (json.eventType === 'SHUTDOWN') { await new Promise((r) => setTimeout(r, 300)); console.log('agent done'); process.exit(0); }
          }
        })();`,
      'extensions/readme.txt': 'not executable, so not an extension',
    });
    const { invoke, logged, platform, messages } = await bench({
      files: { 'app.js': 'console.log("runtime started"); exports.handler = async () => 1;' },
      functions: [lambda({ layers: [{ kind: 'directory', key: 'agent', path: layer }] })],
    });
    expect((await invoke()).value).toBe(1);
    await logged(/^agent INVOKE/);
    const lines = messages();
    expect(lines).toContain('agent registers');
    expect(lines.indexOf('agent registers')).toBeLessThan(lines.findIndex((line) => line.endsWith('runtime started')));
    await platform.stop();
    expect(messages()).toEqual(expect.arrayContaining(['agent SHUTDOWN spindown', 'agent done']));
  });

  it('reports an extension that ends, and one that says it cannot start', async () => {
    const ends = await folder({ 'extensions/ends!': '#!/bin/sh\nexit 4\n' });
    const gives = await folder({
      'extensions/gives!': `#!/usr/bin/env node
        ${extension}
        (async () => { const { id } = await register('gives', ['INVOKE']);
          await call('POST', '/2020-01-01/extension/init/error', {}, { 'Lambda-Extension-Identifier': id, 'Lambda-Extension-Function-Error-Type': 'Extension.NoKey' }); setInterval(() => {}, 1000); })();`,
    });
    const { invoke } = await bench({
      files: { 'app.js': 'exports.handler = async () => 1;' },
      functions: [
        lambda({ layers: [{ kind: 'directory', key: 'ends', path: ends }] }),
        lambda({ key: 'gives', layers: [{ kind: 'directory', key: 'gives', path: gives }] }),
      ],
    });
    expect((await invoke()).error).toMatchObject({
      kind: 'init',
      type: 'Extension.Crash',
      message: expect.stringContaining('Extension ends exited with error: exit status 4'),
    });
    expect((await invoke({}, { key: 'gives' })).error).toMatchObject({
      kind: 'init',
      type: 'Extension.InitError',
      message: expect.stringContaining('Extension.NoKey'),
    });
  });
});

describe('the Telemetry API', () => {
  it('posts what the platform and the function say to a server on loopback', async () => {
    const received: { type: string; record: unknown; time: string }[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      received.push(...JSON.parse(Buffer.concat(chunks).toString()));
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { invoke } = await bench({
      files: {
        'app.mjs': `${extension}
          const { id } = await register('listener', ['INVOKE']);
          const subscribe = (document) => call('PUT', '/2022-07-01/telemetry', document, { 'Lambda-Extension-Identifier': id });
          const good = { schemaVersion: '2022-12-13', types: ['platform', 'function'], buffering: { timeoutMs: 25 }, destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:${port}' } };
          const answers = [
            await subscribe({ ...good, destination: { protocol: 'HTTP', URI: 'http://example.com:80' } }), await subscribe({ ...good, destination: { protocol: 'TCP', port: 5 } }),
            await subscribe({ ...good, types: ['gossip'] }), await subscribe({ ...good, schemaVersion: 'x' }), await call('PUT', '/2022-07-01/telemetry', good), await subscribe(good) ];
          (async () => { for (;;) await nextEvent(id); })();
          export const handler = async () => { console.log('inside'); return [...answers, await subscribe(good)].map((answer) => answer.status); };`,
      },
    });
    const result = await invoke();
    expect(result.value).toEqual([400, 400, 400, 400, 403, 200, 403]);
    await until(() => received.some((one) => one.type === 'platform.report'));
    expect(received.map((one) => one.type)).toEqual([
      'platform.initStart',
      'platform.initReport',
      'platform.start',
      'function',
      'platform.runtimeDone',
      'platform.end',
      'platform.report',
    ]);
    expect(received.find((one) => one.type === 'function')?.record).toMatch(/\tINFO\tinside$/);
    expect(received.find((one) => one.type === 'platform.runtimeDone')?.record).toMatchObject({
      requestId: result.requestId,
      status: 'success',
      spans: [{ name: 'responseLatency' }, { name: 'responseDuration' }],
    });
  });
});
