import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyService, type Ended, freePorts, projectDirectory, sls, startSlsLocal } from '../../../../test/sls.ts';

const fixture = path.join(import.meta.dirname, '..', 'fixtures', 'foreign-service');
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

/**
 * Processes whose folder or command is the service's, from /proc: what `sls local` would have left.
 */
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
  it.each(['api', 'console', 'otlp', 'grpc', 'xray', 'dynamodb', 'lambda'])(
    'names the %s port when it is in use',
    async (name) => {
      const other = await listen(0);
      const { port } = other.address() as { port: number };
      const args = freePorts.with(freePorts.indexOf(`--${name}-port`) + 1, String(port));
      const ended = await sls(service.directory, ['local', ...args]);
      other.close();
      expectSentence(ended, new RegExp(`Port ${port} \\(${name}\\) is in use\\..+--${name}-port`));
    },
  );

  it('names a port that is not a number', async () => {
    const ended = await sls(service.directory, ['local', '--api-port', '80x']);
    expectSentence(ended, /--api-port takes a whole number from 0 to 65535, not "80x"\./);
  });

  it('names a handler that has no file, and one that does not build, and runs all the others', async () => {
    renameSync(path.join(service.directory, 'functions', 'stock.js'), path.join(service.directory, 'elsewhere.js'));
    const from = path.join(service.directory, 'functions', 'shop.js');
    renameSync(from, path.join(service.directory, 'functions', 'shop.ts'));
    change('functions/shop.ts', (text) => text.replace('const { Host,', 'const { Host,,'));
    const local = await startSlsLocal(service.directory);
    await local.stop();

    expect(local.stdout()).toMatch(/functions\.stock\.handler is "functions\/stock\.api\.read", but there is no file/);
    expect(local.stdout()).toMatch(/The handlers do not build: functions\/shop\.ts:4:\d+: /);
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
    expectSentence(ended, /custom\.local\.runtimeClient is "ric\/index\.mjs", but that file does not exist\./);
  });

  const ric = process.env.AWS_LAMBDA_RIC;
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
    expectSentence(ended, /resources\.Resources\.Stock is not a table that DynamoDB accepts: /);
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

  it('prints each request with its query, a failure with its reason, and a summary at the end', async () => {
    const local = await startSlsLocal(service.directory);
    await fetch(`${local.api}/stock/tea?a=1&token=secret`);
    await fetch(`${local.api}/nowhere`);
    const { stdout } = await local.stop();
    const lines = stdout.split('\n').filter((line) => / (GET|POST) \//.test(line));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/GET \/stock\/tea\?a=1&token=\[redacted\] 200 [\d.]+ m?s cold [0-9a-f]{32}$/);
    expect(lines[1]).toMatch(/GET \/nowhere 403 [\d.]+ m?s [0-9a-f]{32}$/);
    const id = lines[1]?.slice(-8);
    expect(stdout).toContain(
      `└ Answered 403 without calling a function: the gateway refused it.  npx throughline trace ${id}\n`,
    );
    expect(stdout).toMatch(/^2 requests, 0 failed$/m);
  });
});
