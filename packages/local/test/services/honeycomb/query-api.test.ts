import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receivers, startReceivers } from '../../../src/receiver/server.ts';
import { receiversWith } from '../../../src/services/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { memoryStore } from '../../store/query/fixture.ts';

describe("Honeycomb's query API", () => {
  let store: Store;
  let receivers: Receivers;
  const team = { 'x-honeycomb-team': 'any', 'content-type': 'application/json' };

  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${receivers.port}${path}`, {
      method,
      headers: team,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };

  beforeAll(async () => {
    store = await memoryStore();
    receivers = await startReceivers({ port: 0, sink: store, receivers: receiversWith(store) });
    const event = (route: string, duration: number, at: number) => ({
      time: new Date(Date.now() - at).toISOString(),
      samplerate: 2,
      data: {
        'service.name': 'My Shop',
        route,
        duration_ms: duration,
        name: 'GET',
        'trace.trace_id': 'a'.repeat(32),
        'trace.span_id': String(duration).padStart(16, '0'),
      },
    });
    const body = [event('/a', 10, 5000), event('/a', 30, 400), event('/b', 20, 300)];
    expect((await call('POST', '/1/batch/my-shop', body)).status).toBe(200);
    await call('POST', '/1/batch/other', [{ data: { plain: true } }]);
  });

  afterAll(async () => {
    await receivers.stop();
    await store.close();
  });

  it('runs a query: made, run, read', async () => {
    const query = {
      breakdowns: ['route'],
      calculations: [{ op: 'COUNT' }, { op: 'MAX', column: 'duration_ms' }],
      orders: [{ op: 'COUNT', order: 'descending' }],
      time_range: 600,
    };
    const made = await call('POST', '/1/queries/my-shop', query);
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({ ...query, id: expect.stringMatching(/^\w{11}$/) });
    expect((await call('POST', '/1/queries/my-shop', query)).body.id).toBe(made.body.id);
    expect((await call('GET', `/1/queries/my-shop/${made.body.id}`)).body).toEqual(made.body);

    const run = await call('POST', '/1/query_results/my-shop', {
      query_id: made.body.id,
      disable_series: false,
      disable_total_by_aggregate: false,
    });
    expect(run.status).toBe(201);
    expect(run.body).toMatchObject({ complete: false, id: expect.any(String) });
    expect(run.headers.get('location')).toBe(`/1/query_results/my-shop/${run.body.id}`);
    const { body } = await call('GET', run.headers.get('location') ?? '');
    expect(body).toMatchObject({
      complete: true,
      data: {
        results: [
          { data: { route: '/a', COUNT: 4, 'MAX(duration_ms)': 30 } },
          { data: { route: '/b', COUNT: 2, 'MAX(duration_ms)': 20 } },
        ],
        total_by_aggregate: { data: { COUNT: 6, 'MAX(duration_ms)': 30 } },
      },
    });
    const { series } = body.data as { series: { time: string; data: Record<string, unknown> }[] };
    expect(series.reduce((sum, { data }) => sum + Number(data.COUNT), 0)).toBe(6);
    expect(series[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+Z$/);
  });

  it('asks all data sets by the name __all__, and one data set alone otherwise', async () => {
    const count = async (dataset: string) => {
      const { body } = await call('POST', `/1/queries/${dataset}`, {});
      const run = await call('POST', `/1/query_results/${dataset}`, {
        query_id: body.id,
        disable_series: true,
        limit: 5000,
      });
      const result = await call('GET', `/1/query_results/${dataset}/${run.body.id}`);
      return (result.body.data as { results: { data: { COUNT: number } }[] }).results[0]?.data.COUNT;
    };
    expect(await count('__all__')).toBe(7);
    expect(await count('my-shop')).toBe(6);
    expect(await count('other')).toBe(1);
  });

  it('lists data sets and columns', async () => {
    expect((await call('GET', '/1/datasets')).body).toMatchObject([
      { name: 'My Shop', slug: 'my-shop', last_written_at: expect.any(String) },
      { name: 'other', slug: 'other' },
    ]);
    expect((await call('GET', '/1/datasets/my-shop')).body).toMatchObject({ name: 'My Shop' });
    const { body } = await call('GET', '/1/columns/my-shop');
    expect(body).toContainEqual(expect.objectContaining({ key_name: 'duration_ms', type: 'float' }));
    const one = await call('GET', '/1/columns/my-shop?key_name=route');
    expect(one.body).toMatchObject({ key_name: 'route', type: 'string' });
    expect((await call('GET', `/1/columns/my-shop/${one.body.id}`)).body).toEqual(one.body);
    expect((await call('GET', '/1/auth')).body).toMatchObject({ api_key_access: { queries: true } });
  });

  it("refuses in Honeycomb's own form, with the field", async () => {
    const refused = await call('POST', '/1/queries/my-shop', { filters: [{ column: 'a', op: '~' }] });
    expect(refused).toMatchObject({
      status: 422,
      body: {
        status: 422,
        type: 'https://api.honeycomb.io/problems/validation-failed',
        error: expect.stringContaining('"~" is not a known "op"'),
        type_detail: [{ code: 'invalid', field: 'filters[0].op' }],
      },
    });
    expect(await call('POST', '/1/queries/my-shop', { breakdowns: ['nope'] })).toMatchObject({
      status: 422,
      body: { type_detail: [{ field: 'breakdowns[0]', description: expect.stringContaining('"nope"') }] },
    });
    expect((await call('POST', '/1/queries/my-shop', '{')).status).toBe(422);
  });

  it.each([
    ['POST', '/1/queries/nowhere', 404, 'Dataset not found'],
    ['GET', '/1/queries/my-shop/unknown', 404, 'Query not found'],
    ['POST', '/1/query_results/my-shop', 404, 'Query not found'],
    ['GET', '/1/query_results/my-shop/unknown', 404, 'Query result not found'],
    ['GET', '/1/columns/my-shop?key_name=nope', 404, 'Column not found'],
    ['DELETE', '/1/datasets/my-shop', 405, 'not supported here'],
    ['POST', '/1/columns/my-shop', 405, 'not supported here'],
    ['GET', '/1/boards', 404, 'not supported here'],
    ['POST', '/1/triggers/my-shop', 404, 'not supported here'],
  ])('answers %s %s with %d and a sentence', async (method, path, status, sentence) => {
    const body = method !== 'POST' ? undefined : path.includes('results') ? { query_id: 'unknown' } : {};
    const answered = await call(method, path, body);
    expect(answered.status).toBe(status);
    expect(String(answered.body.error)).toContain(sentence);
  });
});
