import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Writing } from './fixture/probe.ts';
import { disagreements, type Trees, treesOf } from './harness/agreement.ts';
import { type HarnessRequest, type LambdaHarness, startLambdaHarness } from './harness/lambda-harness.ts';

describe('X-Ray and OpenTelemetry agree span by span, attribute by attribute,', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({ layer: true });
  });
  afterAll(() => harness.stop());

  const treesAfter = async (request: HarnessRequest): Promise<Trees> => treesOf(harness, await harness.invoke(request));

  it('on a cold start and a warm one', async () => {
    harness.cool();
    const cold = await treesAfter({ path: '/ok' });
    const warm = await treesAfter({ path: '/ok' });

    expect([...disagreements(cold), ...disagreements(warm)]).toEqual([]);
    expect([cold, warm].map(({ otel }) => otel.length)).toEqual([6, 6]);
    expect([cold, warm].map(({ otel }) => otel.find(({ kind }) => kind === 'server')?.attributes.cold_start)).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    '/missing',
    '/early',
    '/handled',
    '/fault',
    '/synchronous',
    '/foreign-404',
    '/own-cause',
    '/known-fault',
    '/twice',
    '/unfinished',
    '/none',
  ])('however a request ends: %s', async (target) => {
    expect(disagreements(await treesAfter({ path: target }))).toEqual([]);
  });

  it.each(['text', 'null', 'empty', 'object', 'number', 'nothing'])(
    'when the thrown value is not an error: %s',
    async (what) => {
      const trees = await treesAfter({ path: '/thrown', query: { what } });

      expect(disagreements(trees)).toEqual([]);
      expect(trees.otel.find(({ name }) => name === 'throwing')?.events).toHaveLength(1);
    },
  );

  it("where the caller's span is of this trace, and where it is of another", async () => {
    const other = `00-${'ab'.repeat(16)}-00f067aa0ba902b7-01`;
    const linked = await treesAfter({ path: '/ok', headers: { traceparent: other } });

    expect(disagreements(linked)).toEqual([]);
    expect(linked.xray.find(({ name }) => name.startsWith('## '))?.metadata?.default?.links).toEqual([
      { trace_id: 'ab'.repeat(16), span_id: '00f067aa0ba902b7' },
    ]);
  });

  it('on the time that the request took, which stands on the root', async () => {
    const { xray, otel } = await treesAfter({ path: '/ok' });
    const inOtel = otel.find(({ name }) => name.startsWith('## '))?.attributes.duration_ms;

    expect(inOtel).toEqual(expect.any(Number));
    expect(xray.find(({ name }) => name.startsWith('## '))?.annotations?.duration_ms).toBe(inOtel);
  });

  const write = (writings: Writing[]): Promise<Trees> =>
    treesAfter({ path: '/write', body: Buffer.from(JSON.stringify(writings)).toString('base64') });

  it('on metadata with members of any kind: nested in X-Ray, JSON in OpenTelemetry, and the same scalar in both', async () => {
    const nested = { list: [1, { deep: ['x', null, true] }], '': 0 };
    const trees = await write([
      ['metadata', 'writing', 'nested', nested],
      ['metadata', 'writing', 'list', ['a', 'b']],
      ['metadata', 'writing', 'number', 1.5],
      ['metadata', 'writing', 'flag', false],
      ['metadata', 'writing', 'nothing', null],
    ]);

    expect(disagreements(trees)).toEqual([]);
    expect(trees.xray.find(({ name }) => name === 'writing')?.metadata).toEqual({
      default: { nested, list: ['a', 'b'], number: 1.5, flag: false, nothing: 'null' },
    });
    expect(trees.otel.find(({ name }) => name === 'writing')?.attributes).toMatchObject({
      nested: JSON.stringify(nested),
      list: '["a","b"]',
      number: 1.5,
      flag: false,
      nothing: 'null',
    });
  });

  it('by one rule for the keys of annotations: `_` stands for all but A-Z, a-z, 0-9 and `_`, and a second key of that form is metadata', async () => {
    const trees = await write([
      ['annotation', 'writing', 'app.résumé-length', 1],
      ['annotation', 'writing', 'app_r_sum__length', 2],
      ['annotation', 'writing', '', 3],
      ['annotation', 'writing', '__proto__', 4],
      ['annotation', 'writing', '.:proto:.', 5],
    ]);

    expect(disagreements(trees)).toEqual([]);
    expect(trees.xray.find(({ name }) => name === 'writing')).toMatchObject({
      annotations: { app_r_sum__length: 1, _: 3, __proto___: 4 },
      metadata: { default: { app_r_sum__length: 2, '.:proto:.': 5 } },
    });
  });

  it('on names: one that X-Ray does not take is replaced in both', async () => {
    const trees = await write([['annotation', `GET /{id}?q=*${'x'.repeat(300)}`, 'key', 1]]);

    expect(disagreements(trees)).toEqual([]);
    expect(trees.xray[0]?.name).toBe(`GET /_id__q=_${'x'.repeat(187)}`);
  });

  it('on secrets: what is known as one by its key is taken out, however it is written', async () => {
    const trees = await write([
      ['annotation', 'writing', 'api_key', 'planted-1'],
      ['metadata', 'writing', 'password', 'planted-2'],
      ['event', 'writing', 'session_token', 'planted-3'],
    ]);

    expect(disagreements(trees)).toEqual([]);
    expect(JSON.stringify(trees.xray)).not.toContain('planted');
  });

  it('whatever is written under whatever keys, on whatever spans, in whatever order', async () => {
    const key = fc.oneof(
      fc.constantFrom(
        'a.b',
        'a_b',
        'a b',
        'A.b',
        '',
        '__proto__',
        'constructor',
        '. proto .',
        'route',
        'links',
        'token',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const value = fc.oneof(
      fc.constantFrom<unknown>('text', 0, -0, 1e300, 2 ** 53, -1.5, 5e-324, true, null, ''),
      fc.double(),
      fc.string({ unit: 'binary' }),
      fc.jsonValue(),
    );
    const where = fc.constantFrom('event' as const, 'annotation' as const, 'metadata' as const);
    const name = fc.oneof(fc.constantFrom('one', 'two'), fc.string({ unit: 'binary', maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(where, name, key, value), { maxLength: 12 }), async (writings) => {
        expect(disagreements(await write(writings))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
