import { type AddressInfo, createServer } from 'node:net';
import type { SegmentDocument, SpanRecord } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreements, treesOf } from '../harness/agreement.ts';
import { type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Item {
  title?: string;
  custom: Record<string, string>;
  body: { trace_chain?: { exception: { class: string; message: string } }[] };
}

interface Described {
  lines: Record<string, unknown>[];
  items: Item[];
  segment: SegmentDocument | undefined;
  span: SpanRecord | undefined;
}

describe('what is thrown', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({
      layer: true,
      handler: `${import.meta.dirname}/../fixture/errors.ts`,
      environment: { ROLLBAR_ACCESS_TOKEN: 'token' },
    });
  });
  afterAll(() => harness.stop());

  /**
   * Collects one request's data in all four tools, and checks that X-Ray and OpenTelemetry agree.
   */
  async function describedAs(path: string, query: Record<string, string> = {}): Promise<Described> {
    const before = harness.rollbar.deliveries.length;
    const invocation = await harness.invoke({ path, query });
    const trees = await treesOf(harness, invocation);
    await harness.rollbar.received(before + 1);
    await harness.idle(invocation);
    expect(disagreements(trees)).toEqual([]);
    const items = harness.rollbar.deliveries
      .map(({ body }) => (JSON.parse(String(body)) as { data: Item }).data)
      .filter(({ custom }) => custom.trace_id === invocation.traceId);
    return {
      items,
      lines: harness.json(invocation).filter(({ level }) => level === 'ERROR'),
      segment: trees.xray.find(({ name }) => name === 'work'),
      span: trees.otel.find(({ name }) => name === 'work'),
    };
  }

  it('has its causes in all four tools, the deepest one first', async () => {
    const { lines, items, segment, span } = await describedAs('/chain');

    expect(lines.map(({ error }) => error)).toMatchObject([
      {
        reason: 'EBANK: no route to bank',
        message: 'the order failed',
        cause: { name: 'TypeError', cause: { message: 'no route to bank', code: 'EBANK' } },
      },
      { reason: 'EBANK: no route to bank' },
    ]);
    expect(segment).toMatchObject({
      cause: {
        exceptions: [{ message: 'no route to bank' }, { message: 'the card failed' }, { message: 'the order failed' }],
      },
      metadata: { default: { 'error.code': 'EBANK', 'error.reason': 'EBANK: no route to bank' } },
    });
    expect(span?.events.map(({ attributes }) => attributes['exception.message'])).toEqual([
      'no route to bank',
      'the card failed',
      'the order failed',
    ]);
    expect(items).toMatchObject([
      {
        title: 'EBANK: no route to bank (Error: the order failed)',
        body: {
          trace_chain: [
            { exception: { message: 'the order failed' } },
            {},
            { exception: { message: 'no route to bank' } },
          ],
        },
      },
    ]);
  });

  it('has every error of an AggregateError', async () => {
    const { lines, items, span } = await describedAs('/any');

    expect(lines[0]?.error).toMatchObject({
      reason: 'Error: first mirror is down',
      errors: [{ message: 'first mirror is down' }, { name: 'RangeError', message: 'second' }],
    });
    expect(span?.events).toHaveLength(3);
    expect(items[0]?.body.trace_chain?.map(({ exception }) => exception.message)).toEqual([
      'All promises were rejected',
      'second',
      'first mirror is down',
    ]);
  });

  it('names the closed port that fetch says nothing of', async () => {
    const { lines, items, span } = await describedAs('/fetch', { port: String(await closedPort()) });

    expect(lines[0]?.error).toMatchObject({
      reason: expect.stringContaining('ECONNREFUSED'),
      message: 'fetch failed',
    });
    expect(span?.attributes).toMatchObject({ 'error.code': 'ECONNREFUSED' });
    expect(items[0]?.title).toMatch(/ECONNREFUSED.*127\.0\.0\.1:\d+.*fetch failed/);
  });

  it.each(['/null', '/undefined', '/thrown/null', '/thrown/undefined'])(
    'is one item and an error on each line also for %s',
    async (path) => {
      const { lines, items, segment } = await describedAs(path);
      const message = `${path.split('/').at(-1)} was thrown`;

      expect(items.map(({ body }) => body.trace_chain?.map(({ exception }) => exception.message))).toEqual([[message]]);
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.map(({ error }) => (error as { message?: string } | undefined)?.message)).toEqual(
        lines.map(() => message),
      );
      expect(segment).toMatchObject({ fault: true, cause: { exceptions: [{ message }] } });
    },
  );

  it('is bounded: of 5,000 errors ten are described', async () => {
    const { items, span } = await describedAs('/many');

    expect(span?.events).toHaveLength(11);
    expect(items[0]?.body.trace_chain).toHaveLength(11);
  });

  it('ends where it is its own cause, and nothing secret is in its causes', async () => {
    const described = await describedAs('/circle');
    const text = JSON.stringify(described, (_, value) => (typeof value === 'bigint' ? String(value) : value));

    expect(described.span?.events).toHaveLength(3);
    expect(text).not.toContain('hunter2');
  });
});
