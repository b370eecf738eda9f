import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreements, treesOf } from './harness/agreement.ts';
import { spansOf, startBackEnd } from './harness/back-end.ts';
import { type Invocation, type LambdaHarness, startLambdaHarness } from './harness/lambda-harness.ts';

const root = '## handlers/probe.handler';

describe("Powertools' own classes, inside a request,", () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    const handler = `${import.meta.dirname}/fixture/powertools.ts`;
    harness = await startLambdaHarness({ layer: true, handler });
  });
  afterAll(() => harness.stop());

  /** The names of all spans, each below its parent's, as both tools have them. */
  async function pathsOf(invocation: Invocation): Promise<string[]> {
    const trees = await treesOf(harness, invocation);
    expect(disagreements(trees)).toEqual([]);
    const paths = trees.otel.map((span) => {
      const names: string[] = [];
      for (let at: typeof span | undefined = span; at; at = trees.otel.find(({ spanId }) => spanId === at?.parentId))
        names.unshift(at.name);
      return names.join(' > ');
    });
    return paths.sort();
  }

  const linesOf = async (invocation: Invocation): Promise<Record<string, unknown>[]> => {
    await harness.until(() => harness.json(invocation).some((line) => 'event' in line));
    await harness.idle(invocation);
    return harness.json(invocation);
  };

  it('tracer.getSegment() is the subsegment of the current span', async () => {
    const { response } = await harness.invoke({ path: '/segment' });

    expect(response?.body).toBe('{"segment":"outer"}');
  });

  it('a subsegment that tracer opens by hand is a span in both tools, and its metadata is redacted', async () => {
    const invocation = await harness.invoke({ path: '/by-hand' });
    const { xray, otel } = await treesOf(harness, invocation);
    const lines = await linesOf(invocation);
    const own = otel.find(({ name }) => name === 'by hand');

    expect(await pathsOf(invocation)).toEqual([root, `${root} > by hand`]);
    expect(own?.attributes).toMatchObject({ password: '[redacted]' });
    expect(JSON.stringify(xray)).not.toContain('hunter2');
    expect(lines.find(({ message }) => message === 'inside')?.span_id).toBe(own?.spanId);
    expect(lines.find(({ message }) => message === 'outside')?.span_id).toBe(own?.parentId);
  });

  it('captureMethod is a span in both tools, with our own spans below it', async () => {
    const invocation = await harness.invoke({ path: '/method' });
    const { otel } = await treesOf(harness, invocation);

    expect(await pathsOf(invocation)).toEqual([root, `${root} > ### cook`, `${root} > ### cook > boil`]);
    expect(otel.find(({ name }) => name === '### cook')?.attributes).toMatchObject({
      dish: 'soup',
      'cook response': 'soup',
    });
  });

  it('captureMethod records what is thrown, with its cause', async () => {
    const invocation = await harness.invoke({ path: '/method', query: { dish: 'burnt' } });
    const { xray } = await treesOf(harness, invocation);

    expect(await pathsOf(invocation)).toHaveLength(3);
    expect(xray.find(({ name }) => name === '### cook')).toMatchObject({
      fault: true,
      cause: { exceptions: [{ message: 'the stove was hot' }, { message: 'it burnt' }] },
    });
  });

  it('captureLambdaHandler adds no second span of the handler', async () => {
    const invocation = await harness.invoke({ path: '/middleware' });

    expect(await pathsOf(invocation)).toEqual([root]);
  });

  it('a logger, and its child, write the ids of the request and span', async () => {
    const invocation = await harness.invoke({ path: '/method' });
    const { otel } = await treesOf(harness, invocation);
    const lines = await linesOf(invocation);

    expect(lines.find(({ message }) => message === 'cooking')).toMatchObject({
      service: 'own',
      table: 7,
      trace_id: invocation.traceId,
      xray_trace_id: invocation.root,
      span_id: otel.find(({ name }) => name === '### cook')?.spanId,
    });
  });

  it('a logger and an annotation show nothing that the caller sent in confidence', async () => {
    const invocation = await harness.invoke({ path: '/quote', body: 'open sesame, said the thief' });
    const trees = await treesOf(harness, invocation);

    expect(
      JSON.stringify([await linesOf(invocation), trees], (_, value) => (typeof value === 'bigint' ? 0 : value)),
    ).not.toContain('sesame');
  });

  it('Metrics publish their own EMF, joined to the trace, and what was left unpublished goes at the end', async () => {
    const invocation = await harness.invoke({ path: '/metrics' });
    const ids = { service: 'own', trace_id: invocation.traceId, function_request_id: invocation.requestId };
    const records = (await linesOf(invocation)).filter((line) => '_aws' in line);

    expect(records).toMatchObject([
      { ...ids, Dishes: 2, dish: 'soup' },
      { service: 'stage', Requests: 1 },
      { ...ids, Bills: 1 },
    ]);
  });

  it('a Tracer with its defaults leaves each call to one owner', async () => {
    const backEnd = await startBackEnd();
    const invocation = await harness.invoke({ path: '/fetch', query: { url: backEnd.url } });
    await backEnd.stop();

    expect(await pathsOf(invocation)).toEqual([root, `${root} > 127.0.0.1`]);
  });

  it('nothing goes to X-Ray of a request that it does not sample, and OpenTelemetry has all of it', async () => {
    const invocation = await harness.invoke({ path: '/method', sampled: false });
    const later = await harness.invoke({ path: '/segment' });
    await treesOf(harness, later);
    const spans = (await spansOf(harness.otlp.deliveries)).filter(({ traceId }) => traceId === invocation.traceId);

    expect(harness.subsegments.filter(({ trace_id }) => trace_id === invocation.root)).toEqual([]);
    expect(spans.map(({ name }) => name).sort()).toEqual([root, '### cook', 'boil']);
  });
});
