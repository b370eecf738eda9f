import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBrowserHere, openBrowser, skipNote } from './browser.ts';
import { newTrace, segment, startFixture } from './fixture.ts';

describe.skipIf(!isBrowserHere)(`the page in a browser${skipNote}`, () => {
  let fixture: Awaited<ReturnType<typeof startFixture>>;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let page: Page;
  /** See `openBrowser`. */
  let complaints: string[];

  beforeEach(async () => {
    fixture = await startFixture();
    browser = await openBrowser();
    ({ page, complaints } = browser);
  });

  afterEach(async () => {
    await browser.close();
    await fixture.stop();
  });

  it('shows the newest request as it ends: the sentence, the waterfall and the logs', async () => {
    await page.goto(fixture.url);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('No trace yet. Send a request to http://127.0.0.1:3000.').waitFor();
    const { root, id } = newTrace();
    const start = Date.now() / 1000;
    const call = {
      name: 'DynamoDB',
      id: '2222222222222222',
      start_time: start + 0.005,
      end_time: start + 0.015,
      namespace: 'aws',
    };
    fixture.store.segment(
      segment(root, {
        start_time: start,
        end_time: start + 0.02,
        subsegments: [{ ...call, aws: { operation: 'Query', table_name: 'orders' } }],
      }),
    );
    fixture.store.log({
      source: 'function',
      timeMilliseconds: start * 1000,
      logGroup: 'g',
      logStream: 's',
      message: 'hello from the log',
      traceId: id,
    });
    // Nobody has to click: the newest request is shown.
    await page.getByText('hello from the log').waitFor();
    expect(await page.locator('h2').textContent()).toBe('GET /orders 200 20.0 ms');
    expect(await page.locator('.sentence').textContent()).toContain('20.0 ms, of which 10.0 ms (50 %) in');
    expect(await page.locator('.row .label').allTextContents()).toEqual([
      expect.stringContaining('dev-shop/dev API Gateway 200'),
      expect.stringContaining('DynamoDB Query orders'),
    ]);
    const [whole, part] = await page.locator('.bar').evaluateAll((bars) => bars.map((bar) => bar.clientWidth));
    expect((part ?? 0) / (whole ?? 1)).toBeCloseTo(0.5, 1);
    expect(complaints).toEqual([]);
  });

  it('shows markup in every place where telemetry is shown as the text that it is', async () => {
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    const { root, id } = newTrace();
    const more = {
      name: hostile,
      fault: true,
      user: hostile,
      origin: hostile,
      annotations: { [hostile]: hostile },
      metadata: { default: { [hostile]: hostile } },
      aws: { operation: hostile, table_name: hostile },
      http: { request: { method: hostile, url: `javascript:alert(3)//${hostile}` }, response: { status: 500 } },
      cause: { exceptions: [{ type: hostile, message: hostile, stack: [{ path: hostile, line: 1, label: hostile }] }] },
    };
    fixture.store.segment(segment(root, more));
    const time = Date.now();
    fixture.store.log({
      source: 'function',
      timeMilliseconds: time,
      logGroup: 'g',
      logStream: 's',
      message: hostile,
      level: hostile,
      traceId: id,
    });
    fixture.store.log({
      source: 'function',
      timeMilliseconds: time,
      logGroup: 'g',
      logStream: 's',
      message: JSON.stringify({ level: hostile, message: hostile, [hostile]: hostile }),
      traceId: id,
    });
    fixture.store.metric({
      source: 'emf',
      timeMilliseconds: time,
      namespace: hostile,
      name: hostile,
      unit: hostile,
      dimensions: {},
      values: [1],
      traceId: id,
    });
    fixture.store.error({
      timeMilliseconds: time,
      uuid: 'u',
      level: hostile,
      title: hostile,
      fingerprint: 'f',
      traceId: id,
      item: {},
    });
    await page.goto(`${fixture.url}/?trace=${id}`);
    await page.locator('.row').first().waitFor();
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      expect(await page.locator('article').textContent()).toContain(hostile);
    }
    expect(await page.locator('img, #app script, article a').count()).toBe(0);
    const links = await page.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual(['/ask', `/?trace=${id}`]);
    expect(complaints).toEqual([]);
  });

  it('shows each fact of a span once, though X-Ray and OpenTelemetry each say it in their own way', async () => {
    const { root, id } = newTrace();
    const attributes = {
      'app.user_id': 'worf',
      detail: '{"nested":[1]}',
      'aws.operation': 'Query',
      'cloud.region': 'eu-west-1',
      'aws.dynamodb.table_names': ['orders'],
      'aws.retries': 0,
      different: 1,
    };
    fixture.store.segment(
      segment(root, {
        annotations: { app_user_id: 'worf', xray_alone: true },
        metadata: { default: { ...attributes, detail: { nested: [1] }, different: 2 }, other: { more: 1 } },
        aws: { operation: 'Query', region: 'eu-west-1', table_name: 'orders', retries: 0, account_id: '123456789012' },
      }),
    );
    fixture.store.span({
      source: 'otlp',
      traceId: id,
      spanId: '1111111111111111',
      name: 'dev-shop/dev',
      kind: 'client',
      startNanoseconds: 1_001_000_000_000n,
      endNanoseconds: 1_002_500_000_000n,
      status: 'unset',
      serviceName: 'shop',
      attributes,
      resource: {},
      events: [],
      links: [],
      sampleRate: 1,
    });
    await page.goto(`${fixture.url}/?trace=${id}`);
    await page.locator('.row').first().click();
    await page.locator('dt').first().waitFor();
    const texts = (name: string) => page.locator(`[role=tabpanel] ${name}`).allTextContents();
    const [keys, values] = [await texts('dt'), await texts('dd')];

    expect(keys.map((key, at) => `${key}: ${values[at]}`).slice(2)).toEqual([
      'app.user_id: worf',
      'detail: {"nested":[1]}',
      'aws.operation: Query',
      'cloud.region: eu-west-1',
      'aws.dynamodb.table_names: ["orders"]',
      'aws.retries: 0',
      'different: 1',
      'serviceName: shop',
      'xray_alone: true',
      'different (X-Ray): 2',
      'other.more: 1',
      'account_id: 123456789012',
    ]);
    expect(complaints).toEqual([]);
  });

  it('says what was lost, and with it on the way to a real service, as it becomes known', async () => {
    await page.goto(fixture.url);
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.locator('#losses').isVisible()).toBe(false);
    fixture.store.rejected('forward otlp', 'the service answered 401', '<b>nothing</b>');
    fixture.store.segment(segment(newTrace().root));

    await page.getByText('forward otlp: the service answered 401 (1)').waitFor();
    await page.reload();
    await page.getByText('forward otlp: the service answered 401 (1)').waitFor();
    expect(complaints).toEqual([]);
  });

  it('says that a trace is not here, when the address names one that is not', async () => {
    await page.goto(`${fixture.url}/#${'f'.repeat(32)}`);
    await page.getByText('This trace is not in this run.').waitFor();
  });

  /** Twelve requests, every third of which failed; the newest is the last. */
  function traffic(): string[] {
    const begun = Date.now() / 1000 - 60;
    return Array.from({ length: 12 }, (_, index) => {
      const { root, id } = newTrace();
      const isFailure = index % 3 === 0;
      const message = `connect ECONNREFUSED 127.0.0.1:${index}`;
      const call = {
        name: 'payments',
        id: '3333333333333333',
        start_time: begun + index,
        end_time: begun + index + 0.01,
      };
      fixture.store.segment(
        segment(root, {
          start_time: begun + index,
          end_time: begun + index + 0.02,
          fault: isFailure,
          http: {
            request: { method: 'GET', url: `http://127.0.0.1:3000/orders/${index}` },
            response: { status: isFailure ? 502 : 200 },
          },
          subsegments: isFailure
            ? [
                {
                  ...call,
                  namespace: 'remote',
                  fault: true,
                  cause: { exceptions: [{ type: 'Error', message }] },
                } as never,
              ]
            : [],
        }),
      );
      return id;
    });
  }

  const chosen = () => page.locator('#traces [aria-current=true]').getAttribute('data-id');

  it('is worked by keyboard alone, and its address leads back to what was chosen', async () => {
    const ids = traffic();
    await page.goto(fixture.url);
    await page.locator('#traces li').nth(11).waitFor();
    expect(await chosen()).toBe(ids[11]);
    await page.keyboard.press('j');
    await expect.poll(chosen).toBe(ids[10]);
    await page.keyboard.press('e');
    await expect.poll(chosen).toBe(ids[9]);
    await expect
      .poll(() => page.locator('.sentence').textContent())
      .toBe('Failed with 502: connect ECONNREFUSED 127.0.0.1:9, in payments; 4 times in this run.');
    await page.keyboard.press('w');
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('[role=row]:focus').textContent()).toContain('payments');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('[role=row]').count()).toBe(1);
    await page.keyboard.press('x');
    await page.getByRole('tab', { name: 'Error', selected: true }).waitFor();
    const address = page.url();
    expect(address).toContain(`trace=${ids[9]}`);
    expect(address).toContain('tab=error');
    await page.goto('about:blank');
    await page.goto(address);
    await expect.poll(chosen).toBe(ids[9]);
    await page.getByRole('tab', { name: 'Error', selected: true }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('status>=500 route:/orders/3');
    await expect.poll(() => page.locator('#traces li').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(complaints).toEqual([]);
  });

  it('keeps what is chosen and open when more arrives, and holds back while it is paused', async () => {
    const ids = traffic();
    await page.goto(`${fixture.url}/?trace=${ids[3]}`);
    await page.locator('#traces li').nth(11).waitFor();
    fixture.store.segment(segment(newTrace().root));
    await page.locator('#traces li').nth(12).waitFor();
    expect(await chosen()).toBe(ids[3]);
    await page.getByRole('button', { name: 'Pause' }).click();
    fixture.store.segment(segment(newTrace().root));
    await page.getByRole('button', { name: 'Paused, 1 new' }).waitFor();
    expect(await page.locator('#traces li').count()).toBe(13);
    await page.keyboard.press('.');
    await page.locator('#traces li').nth(13).waitFor();
    expect(complaints).toEqual([]);
  });

  it('says what a search means that it does not know', async () => {
    await page.goto(`${fixture.url}/?q=statsu:500`);
    await page.locator('#search-problem').getByText('There is no field "statsu"').waitFor();
  });

  it('shows one pane at a time on a phone, without scrolling sideways', async () => {
    const ids = traffic();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(fixture.url);
    await page.locator('#traces li').nth(11).waitFor();
    expect(await page.locator('article').isVisible()).toBe(false);
    await page.locator(`[data-id="${ids[9]}"]`).click();
    await page.locator('.sentence').waitFor();
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.getByRole('button', { name: 'All requests' }).click();
    expect(await page.locator('nav').isVisible()).toBe(true);
  });

  it.each(['light', 'dark'] as const)('has no finding of axe in %s', async (colorScheme) => {
    const ids = traffic();
    await page.emulateMedia({ colorScheme });
    await page.goto(`${fixture.url}/?trace=${ids[9]}`);
    await page.locator('.row').first().waitFor();
    await page.evaluate(readFileSync(new URL(import.meta.resolve('axe-core')), 'utf8'));
    const found = await page.evaluate('axe.run()');
    expect(
      (found as { violations: { id: string; nodes: { html: string }[] }[] }).violations.map(({ id, nodes }) => [
        id,
        nodes[0]?.html,
      ]),
    ).toEqual([]);
  });
});
