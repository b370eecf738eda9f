import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const bin = new URL('../../bin/throughline.js', import.meta.url).pathname;
const stored = new Map<string, { Value: string; Type: string }>();
let directory: string;
let server: Server;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'throughline-secrets-'));
  await writeFile(path.join(directory, 'serverless.yml'), 'service: shop\n');
  server = createServer(async (request, response) => {
    const { Name, Value, Type } = JSON.parse(await text(request));
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (request.headers['x-amz-target'] === 'AmazonSSM.PutParameter') {
      stored.set(Name, { Value, Type });
      response.end('{"Version":1}');
    } else if (stored.has(Name)) {
      response.end(JSON.stringify({ Parameter: { Name, ...stored.get(Name) } }));
    } else {
      response.statusCode = 400;
      response.end('{"__type":"ParameterNotFound"}');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => stored.clear());

async function secrets(args: string[], input = '', variables: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  const aws = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  const child = spawn(process.execPath, [bin, 'secrets', ...args], {
    cwd: directory,
    env: { ...process.env, ...aws, AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${port}`, ...variables },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

describe('throughline secrets set', () => {
  it('writes what it reads as a SecureString of the stage, and never prints it', async () => {
    const { code, stdout, stderr } = await secrets(['set', 'HONEYCOMB_KEY', '--stage', 'prod'], 'the-key\n');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('/shop/prod/honeycomb-key is set');
    expect(stdout).not.toContain('the-key');
    expect(stored.get('/shop/prod/honeycomb-key')).toEqual({ Value: 'the-key', Type: 'SecureString' });
  });

  it('generates a value, and keeps the previous one for a rotation', async () => {
    await secrets(['set', 'CURSOR_SECRET', '--generate']);
    const first = stored.get('/shop/dev/cursor-secret')?.Value ?? '';
    expect(first).toMatch(/^[\w-]{43}$/);
    for (let rotation = 0; rotation < 2; rotation++)
      await secrets(['set', 'CURSOR_SECRET', '--generate', '--keep-previous']);
    const [third, second, ...others] = stored.get('/shop/dev/cursor-secret')?.Value.split('\n') ?? [];
    expect(new Set([first, second, third]).size).toBe(3);
    expect(others).toEqual([]);
  });

  it.each([
    ['an empty value', ['set', 'HONEYCOMB_KEY'], '', {}, 1, 'nothing is written'],
    [
      'a parameter store that is down',
      ['set', 'KEY_ONE'],
      'the-key',
      { AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
      1,
      '/shop/dev/key-one is not written',
    ],
    ['no name', ['set'], '', {}, 2, 'throughline secrets set CURSOR_SECRET'],
  ] as const)('refuses %s in a sentence', async (_, args, input, variables, expected, sentence) => {
    const { code, stderr } = await secrets([...args], input, variables);
    expect(code).toBe(expected);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/\n\s+at |the-key/);
  });
});
