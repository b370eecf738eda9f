import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { projectDirectory, startSlsLocal } from '../sls.ts';

const example = path.join(projectDirectory, 'examples/browser');

function findChromium(): string {
  try {
    return process.env.CHROMIUM ?? execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

const missing = [
  ...(existsSync(path.join(example, 'node_modules')) ? [] : ['npm ci --prefix examples/browser has not run']),
  ...(findChromium() ? [] : ['no Chromium on the PATH or in CHROMIUM']),
];
const note = missing.length > 0 ? ` (skipped: ${missing.join(', ')})` : '';

interface Node {
  name: string;
  serviceName?: string;
  children: Node[];
}

it.skipIf(missing.length > 0)(`the example's page is the root of the traces that it begins${note}`, async () => {
  // The example's own esbuild, as its `npm start` runs it.
  const script = execFileSync('node_modules/.bin/esbuild', ['main.ts', '--bundle', '--format=esm'], {
    cwd: example,
    encoding: 'utf8',
  });
  const files: Record<string, [string, string]> = {
    '/': ['text/html', readFileSync(path.join(example, 'index.html'), 'utf8')],
    '/built/main.js': ['text/javascript', script],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url?.split('?')[0] ?? ''] ?? [];
    if (body === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const local = await startSlsLocal(projectDirectory, undefined, { FRONTEND_URL: origin, PAGE_ORIGIN: origin });
  onTestFinished(async () => void (await local.stop()));
  const status = (await (await fetch(`${local.console}/api/status`)).json()) as { addresses: { otlp: string } };

  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${origin}/?api=${local.api}&collector=${status.addresses.otlp}`);
  await page.getByRole('button', { name: 'Load the feed' }).click();
  await page.locator('li').first().waitFor();
  const [, root = ''] = /Root=([^;]+)/.exec((await page.locator('p').textContent()) ?? '') ?? [];
  expect(root).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);

  const read = async () => (await (await fetch(`${local.console}/api/traces/${root}`)).json()) as { roots: Node[] };
  await expect.poll(async () => (await read()).roots?.length, { timeout: 60_000 }).toBe(1);
  await expect.poll(async () => (await read()).roots[0]?.serviceName, { timeout: 60_000 }).toBe('cruddur-page');
  expect((await read()).roots[0]?.children.map(({ name }) => name)).toContain('dev-cruddur/dev');
});
