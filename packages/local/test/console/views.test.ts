import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { isBrowserHere, openBrowser, skipNote } from './browser.ts';
import { newTrace, segment, startFixture } from './fixture.ts';

describe.skipIf(!isBrowserHere)(`the views of the page in a browser${skipNote}`, () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function open(more: Parameters<typeof startFixture>[1] = {}) {
    const fixture = await startFixture(undefined, more);
    stops.push(() => fixture.stop());
    const browser = await openBrowser();
    stops.push(browser.close);
    return { ...browser, fixture };
  }

  it('groups failures by route and reason, with count, first, last and versions, and leads to the newest', async () => {
    const { page, fixture, complaints } = await open();
    const start = Date.now() / 1000 - 100;
    const fail = (second: number, url: string, message: string, release: string) => {
      const { root, id } = newTrace();
      fixture.store.segment(
        segment(root, {
          start_time: start + second,
          end_time: start + second + 0.01,
          fault: true,
          annotations: { release },
          http: { request: { method: 'GET', url: `http://127.0.0.1:3000${url}` }, response: { status: 502 } },
          cause: { exceptions: [{ type: 'Error', message }] },
        }),
      );
      return id;
    };
    fail(1, '/orders/1', 'no answer after 10 ms', 'v1');
    fail(2, '/users', 'out of tea', 'v2');
    const newest = fail(3, '/orders/22', 'no answer after 11 ms', 'v2');
    fixture.store.segment(segment(newTrace().root));
    await page.goto(fixture.url);
    await page.locator('#traces li').nth(3).waitFor();
    await page.keyboard.press('r');
    const rows = page.locator('.errors tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    const [orders, users] = await rows.allTextContents();
    expect(orders).toMatch(/^2502 GET \/orders\/\S+.*no answer after 11 ms.*v2, v1$/);
    expect(users).toMatch(/^1502 GET \/users.*out of tea.*v2$/);
    expect(page.url()).toContain('view=errors');
    await page.evaluate(readFileSync(new URL(import.meta.resolve('axe-core')), 'utf8'));
    const found = (await page.evaluate('axe.run()')) as {
      violations: { id: string; nodes: { html: string }[] }[];
    };
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    await rows.first().getByRole('button').click();
    await expect.poll(() => page.locator('.sentence').textContent()).toContain('no answer after 11 ms');
    expect(page.url()).toContain(`trace=${newest}`);
    await page.goBack();
    await rows.first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows a build that fails with its place and code frame', async () => {
    const message = 'handlers/order.ts:3:7: Expected ";"\n    3 │ const a b\n      ╵         ^';
    const { page, fixture } = await open({ buildFailures: () => [{ functionKey: 'order', message }] });
    await page.goto(fixture.url);
    await page.getByRole('alert').getByText('The function order does not build.').waitFor();
    expect(await page.getByRole('alert').locator('pre').textContent()).toBe(message);
  });
});
