import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';

const parameter = '/cruddur/prod/cursor-secret';
let server: Server | undefined;
let asked: unknown[] = [];

/** A parameter store that answers with `value()`; undefined: not at all. */
async function store(value: () => string | undefined): Promise<void> {
  asked = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    asked.push([request.headers['x-amz-target'], JSON.parse(body)]);
    const Value = value();
    if (Value === undefined) return;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ Parameter: { Name: parameter, Type: 'SecureString', Value } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
}

async function fresh() {
  vi.resetModules();
  return import('../../../../src/http/paging/cursor-secret.ts');
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  server?.closeAllConnections();
  server?.close();
});

describe("the cursors' secret", () => {
  it('is the variable if it is set, without a call of the parameter store', async () => {
    await store(() => 'the secret in the store');
    vi.stubEnv('CURSOR_SECRET', 'the secret of a laptop');
    vi.stubEnv('CURSOR_SECRET_PARAMETER', parameter);
    expect(await (await fresh()).cursorSecrets()).toEqual(['the secret of a laptop']);
    expect(asked).toEqual([]);
  });

  it('is read decrypted from the parameter store once', async () => {
    await store(() => 'the secret in the store');
    vi.stubEnv('CURSOR_SECRET', '');
    vi.stubEnv('CURSOR_SECRET_PARAMETER', parameter);
    const { cursorSecrets } = await fresh();
    expect(await cursorSecrets()).toEqual(['the secret in the store']);
    expect(await cursorSecrets()).toEqual(['the secret in the store']);
    expect(asked).toEqual([['AmazonSSM.GetParameter', { Name: parameter, WithDecryption: true }]]);
  });

  it('is read again after five minutes, and a previous one that is still listed decrypts', async () => {
    let value = 'the first of secrets';
    await store(() => value);
    vi.stubEnv('CURSOR_SECRET', '');
    vi.stubEnv('CURSOR_SECRET_PARAMETER', parameter);
    const { cursorSecrets } = await fresh();
    await cursorSecrets();
    value = 'the second of secrets\nthe first of secrets\n';
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect(await cursorSecrets()).toEqual(['the second of secrets', 'the first of secrets']);
  });

  it('stays in use if the parameter store stops answering', async () => {
    let value: string | undefined = 'the secret in the store';
    await store(() => value);
    vi.stubEnv('CURSOR_SECRET', '');
    vi.stubEnv('CURSOR_SECRET_PARAMETER', parameter);
    const { cursorSecrets } = await fresh();
    await cursorSecrets();
    value = undefined;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect(await cursorSecrets()).toEqual(['the secret in the store']);
  });

  it.each([
    ['never answers', undefined],
    ['has a secret that is too short', 'short'],
  ])('fails the page when the store %s', async (_, value) => {
    await store(() => value);
    vi.stubEnv('CURSOR_SECRET', '');
    vi.stubEnv('CURSOR_SECRET_PARAMETER', parameter);
    await expect((await fresh()).cursorSecrets()).rejects.toThrow();
  });
});
