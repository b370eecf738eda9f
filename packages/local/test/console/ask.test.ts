import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { span } from '../store/query/fixture.ts';
import { isBrowserHere, openBrowser, skipNote } from './browser.ts';
import { startFixture } from './fixture.ts';

describe('the page of saved queries', () => {
  let directory: string;
  let fixture: Awaited<ReturnType<typeof startFixture>>;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'throughline-ask-'));
    await mkdir(path.join(directory, 'queries'));
    await writeFile(
      path.join(directory, 'queries', 'by-route.json'),
      JSON.stringify({ name: 'By route', description: 'How many?', breakdowns: ['route'], granularity: 60 }),
    );
    await writeFile(path.join(directory, 'queries', 'broken.json'), '{');
    fixture = await startFixture(directory);
    fixture.store.span(span({ at: Date.now() - 1_000, attributes: { route: '<img src=x onerror=alert(1)>' } }));
  });

  afterEach(async () => {
    await fixture.stop();
    await rm(directory, { recursive: true });
  });

  it('lists the queries of the service, and reads nothing outside of queries/', async () => {
    const get = async (address: string) => fetch(new URL(address, fixture.url));
    expect(await (await get('/api/queries')).json()).toEqual([
      { key: 'broken', name: 'broken', description: 'This query is not valid.' },
      { key: 'by-route', name: 'By route', description: 'How many?' },
    ]);
    expect((await get('/api/queries/by-route')).status).toBe(200);
    for (const key of ['nope', '..%2f..%2fpackage', '%2fetc%2fpasswd', '..']) {
      expect((await get(`/api/queries/${key}`)).status).toBe(404);
    }
  });

  it.skipIf(!isBrowserHere)(`runs the query of its link, and shows untrusted text as text${skipNote}`, async () => {
    const { page, complaints, close } = await openBrowser();
    try {
      await page.goto(new URL('/ask?query=by-route', fixture.url).href);
      await page.getByRole('cell', { name: '<img src=x onerror=alert(1)>' }).waitFor();
      expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('By route');
      expect(await page.getByRole('row').count()).toBe(2);
      expect(complaints).toEqual([]);
      await page.getByRole('link', { name: 'broken' }).click();
      await page.getByText(/^broken\.json:1:\d+: The query is not valid JSON/).waitFor();
    } finally {
      await close();
    }
  });
});
