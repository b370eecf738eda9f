import { execFileSync } from 'node:child_process';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newTrace, segment, startFixture } from '../api/console/fixture.ts';

/** A Chromium of this machine: `CHROMIUM`, or what is on the PATH. */
function findChromium(): string | undefined {
  if (process.env['CHROMIUM']) return process.env['CHROMIUM'];
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // Not by this name.
    }
  }
  return undefined;
}

const executablePath = findChromium();
const title = executablePath
  ? 'the page in a browser'
  : 'the page in a browser (skipped: no Chromium on the PATH or in CHROMIUM)';

describe.skipIf(!executablePath)(title, () => {
  let fixture: Awaited<ReturnType<typeof startFixture>>;
  let browser: Browser;
  let page: Page;
  /** What went wrong in the page by the browser's own account: a script that failed, something that the policy refused. */
  let complaints: string[];

  beforeEach(async () => {
    fixture = await startFixture();
    // Chromium's sandbox does not start for root, as which tests run in containers.
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    page = await browser.newPage();
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  });

  afterEach(async () => {
    await browser.close();
    await fixture.stop();
  });

  it('lists a request as it ends, and shows its waterfall when it is chosen', async () => {
    await page.goto(fixture.url);
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.locator('#empty').textContent()).toBe('No trace yet. Send a request to http://127.0.0.1:3000.');
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
    await page.locator('#traces a').click();
    await page.getByText('hello from the log').waitFor();
    expect(await page.locator('h2').textContent()).toBe('GET /orders');
    expect(await page.locator('.tree summary').allTextContents()).toEqual([
      expect.stringContaining('dev-shop/dev ApiGateway Stage 200'),
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
    await page.goto(`${fixture.url}/#${id}`);
    await page.locator('.tree summary').first().click();
    await page.locator('.details').first().waitFor();
    expect(await page.locator('article').textContent()).toContain(hostile);
    expect(await page.locator('img, article script, article a').count()).toBe(0);
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
    await page.goto(`${fixture.url}/#${id}`);
    await page.locator('.tree summary').first().click();
    await page.locator('.details').first().waitFor();
    const texts = (name: string) => page.locator(`.details ${name}`).allTextContents();
    const [keys, values] = [await texts('dt'), await texts('dd')];

    expect(keys.map((key, at) => `${key}: ${values[at]}`).slice(2)).toEqual([
      'app.user_id: worf',
      'detail: {"nested":[1]}',
      'aws.operation: Query',
      'cloud.region: eu-west-1',
      'aws.dynamodb.table_names: ["orders"]',
      'aws.retries: 0',
      'different: 1',
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
    await page.getByText(`Nothing has been received of trace ${'f'.repeat(32)}.`).waitFor();
  });
});
