import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyService, type Ended, freePorts, projectDirectory, sls, startSlsLocal } from '../sls.ts';

const fixture = path.join(projectDirectory, 'test', 'fixtures', 'foreign-service');
let service: ReturnType<typeof copyService>;

beforeEach(() => {
  service = copyService(fixture);
});
afterEach(() => service.remove());

const change = (file: string, edit: (text: string) => string) => {
  const target = path.join(service.directory, file);
  writeFileSync(target, edit(readFileSync(target, 'utf8')));
};

/** A person reads one sentence, and no stack. */
function expectSentence(ended: Ended, sentence: RegExp): void {
  expect(ended.code).toBe(1);
  const said = ended.stdout + ended.stderr;
  expect(said).toMatch(sentence);
  expect(said).not.toMatch(/\n\s+at .+:\d+:\d+/);
  expect(said).not.toContain('ready');
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** Processes whose folder or command is the service's, from /proc: what `sls local` would have left. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const place = `${readFileSync(`/proc/${pid}/cmdline`)} ${readFileSync(`/proc/${pid}/environ`)}`;
      return place.includes(directory) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

describe('sls local', () => {
  it.each(['api', 'console', 'otlp', 'xray', 'dynamodb'])('names the %s port when it is in use', async (name) => {
    const other = await listen(0);
    const { port } = other.address() as { port: number };
    const args = freePorts.with(freePorts.indexOf(`--${name}-port`) + 1, String(port));
    const ended = await sls(service.directory, ['local', ...args]);
    other.close();
    expectSentence(ended, new RegExp(`Port ${port} \\(${name}\\) is in use\\..+--${name}-port`));
  });

  it('names a port that is no number', async () => {
    const ended = await sls(service.directory, ['local', '--api-port', '80x']);
    expectSentence(ended, /--api-port takes a whole number from 0 to 65535, not "80x"\./);
  });

  it('names a handler that has no file', async () => {
    renameSync(path.join(service.directory, 'functions', 'stock.js'), path.join(service.directory, 'elsewhere.js'));
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /functions\.stock\.handler is "functions\/stock\.api\.read", but there is no file/);
  });

  it('names the place at which a handler does not build', async () => {
    const from = path.join(service.directory, 'functions', 'shop.js');
    renameSync(from, path.join(service.directory, 'functions', 'shop.ts'));
    change('functions/shop.ts', (text) => text.replace('const { Host,', 'const { Host,,'));
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /The handlers do not build: functions\/shop\.ts:3:\d+: /);
  });

  it('names what is broken in serverless.yml', async () => {
    change('serverless.yml', (text) => text.replace('handler: functions/shop.handler', 'handler: [1'));
    expectSentence(await sls(service.directory, ['local', ...freePorts]), /serverless\.yml/);
  });

  it('names a setting that there is not', async () => {
    change('serverless.yml', (text) => text.replace('seed: seed.cjs', 'sead: seed.cjs'));
    expectSentence(await sls(service.directory, ['local', ...freePorts]), /custom\.local.*sead/s);
  });

  it('names a seed that fails, with its error', async () => {
    appendFileSync(path.join(service.directory, 'seed.cjs'), '\nthrow new TypeError("no tea today");\n');
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /custom\.local\.seed: seed\.cjs failed \(exit 1\): TypeError: no tea today/);
  });

  it('names a runtime client that is not there', async () => {
    change('serverless.yml', (text) => text.replace('seed: seed.cjs', 'runtimeClient: ric/index.mjs'));
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /custom\.local\.runtimeClient is "ric\/index\.mjs", but there is no such file\./);
  });

  const ric = process.env['AWS_LAMBDA_RIC'];
  it.skipIf(!ric)("runs AWS's own runtime client (skipped unless AWS_LAMBDA_RIC names its folder)", async () => {
    const setting = `runtimeClient: ${path.join(ric ?? '', 'index.mjs')}`;
    change('serverless.yml', (text) => text.replace('seed: seed.cjs', `seed: seed.cjs\n    ${setting}`));
    const local = await startSlsLocal(service.directory);
    const answer = await (await fetch(`${local.api}/shop/tea`)).json();
    await local.stop();
    expect(answer).toMatchObject({ STAGE: 'dev', stock: { item: 'tea', count: 7 } });
  });

  it('names what does not build in a script, which stands below the error', async () => {
    const said = 'Build failed with 1 error:\\nsrc/a.ts:5:17: ERROR: Unexpected "="';
    appendFileSync(path.join(service.directory, 'seed.cjs'), `\nthrow new Error('${said}');\n`);
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /seed\.cjs failed \(exit 1\): Error: .+ 1 error: src\/a\.ts:5:17: ERROR: Unexpected "="/);
  });

  it('goes on when nobody reads what it prints any more', async () => {
    const local = await startSlsLocal(service.directory);
    local.process.stdout?.destroy();
    local.process.stderr?.destroy();
    for (let i = 0; i < 3; i += 1) expect((await fetch(`${local.api}/shop/tea`)).status).toBe(200);
    expect(await local.stop()).toMatchObject({ code: 0, signal: null });
  });

  it('names a table that DynamoDB refuses', async () => {
    change('serverless.yml', (text) => text.replace('KeyType: HASH', 'KeyType: RANGE'));
    const ended = await sls(service.directory, ['local', ...freePorts]);
    expectSentence(ended, /resources\.Resources\.Stock is no table that DynamoDB takes: /);
  });

  it.skipIf(process.platform !== 'linux')('leaves no process and no port after Ctrl-C (seen in /proc)', async () => {
    const local = await startSlsLocal(service.directory);
    expect((await fetch(`${local.api}/shop/tea`)).status).toBe(200);
    expect(processesOf(service.directory).length).toBeGreaterThan(1);
    const ended = await local.stop();
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(processesOf(service.directory)).toEqual([]);
    for (const address of [local.api, local.console]) await expect(fetch(address)).rejects.toThrow();
  });

  it.skipIf(process.platform !== 'linux').each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves no process when the npm that started it gets %s',
    async (signal) => {
      const binaries = path.join('node_modules', '.bin');
      symlinkSync(path.join(projectDirectory, binaries), path.join(service.directory, binaries));
      const npx = spawn('npx', ['--no', 'sls', 'local', ...freePorts], {
        cwd: service.directory,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      npx.stdout.setEncoding('utf8');
      for await (const text of npx.stdout) if (/^ready/m.test(String(text))) break;
      expect(processesOf(service.directory).length).toBeGreaterThan(1);
      npx.kill(signal);
      await expect.poll(() => processesOf(service.directory), { timeout: 10_000 }).toEqual([]);
    },
  );

  it('prints one line per request after its ready line', async () => {
    const local = await startSlsLocal(service.directory);
    await fetch(`${local.api}/stock/tea?a=1`);
    await fetch(`${local.api}/nowhere`);
    const { stdout } = await local.stop();
    const lines = stdout.split('\n').filter((line) => / (GET|POST) \//.test(line));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/GET \/stock\/tea\S* 200 \d+ ms cold [0-9a-f]{32}$/);
    expect(lines[1]).toMatch(/GET \/nowhere 403 \d+ ms [0-9a-f]{32}$/);
  });
});
