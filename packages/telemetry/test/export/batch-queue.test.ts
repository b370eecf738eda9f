import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/export/batch-queue.ts';
import { Exporter } from '../../src/export/exporter.ts';
import { type BackEnd, type Behaviour, startBackEnd } from '../harness/back-end.ts';

describe('where there is no Extensions API', () => {
  let backEnd: BackEnd;
  let backend: Backend;
  let exporter: Exporter;

  beforeEach(async () => {
    backEnd = await startBackEnd();
    backend = {
      name: 'Test',
      unit: 'records',
      recordsPerPost: 10,
      url: backEnd.url,
      build: (payloads) => ({ headers: {}, body: JSON.stringify(payloads) }),
    };
    exporter = new Exporter();
    exporter.warn = () => {};
  });
  afterEach(() => backEnd.stop());

  const add = (payload: unknown, count = 1): void => exporter.queue.add({ backend, payload, count });

  it('sends before the answer', async () => {
    add('first');
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
  });

  it('waits for no answer that does not come', async () => {
    await backEnd.behave('never answers');
    add('first');
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ answered }) => answered)).toEqual([undefined]);
  });

  it('waits for its own records also when they are on their way with those of another', async () => {
    await backEnd.behave('answers when told');
    add('first');
    add('second');
    const order: string[] = [];
    const ends = ['1', '2'].map((id) => exporter.end(id).then(() => order.push(`answer ${id}`)));
    await backEnd.received(1);
    order.push('received');
    backEnd.answer();
    await Promise.all(ends);

    expect(order[0]).toBe('received');
  });

  it('puts as many records into one request as the backend takes', async () => {
    for (let record = 0; record < 25; record += 1) add(record);
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ body }) => (JSON.parse(String(body)) as unknown[]).length)).toEqual([10, 10, 5]);
  });

  it('keeps 2,000 records for a back end that is away, drops the oldest, and counts them', async () => {
    await backEnd.behave('refused');
    for (let record = 0; record < 2_500; record += 1) add(record);
    await exporter.end('1');

    expect([...exporter.queue.takeLost()]).toEqual([['records', 500]]);
    expect([...exporter.queue.takeLost()]).toEqual([]);

    await backEnd.behave('works');
    await exporter.shutDown();
    expect(JSON.parse(String(backEnd.deliveries[0]?.body))).toEqual([500, 501, 502, 503, 504, 505, 506, 507, 508, 509]);
  });

  it('keeps fewer where they are large: 16 million characters, a hundred of 160,000', async () => {
    await backEnd.behave('refused');
    for (let record = 0; record < 130; record += 1) {
      exporter.queue.add({ backend, payload: record, count: 1, size: 160_000 });
    }
    await exporter.end('1');

    expect([...exporter.queue.takeLost()]).toEqual([['records', 30]]);

    await backEnd.behave('works');
    await exporter.shutDown();
    expect(JSON.parse(String(backEnd.deliveries[0]?.body))).toEqual([30, 31, 32, 33, 34, 35]);
  });

  it('puts no more than a million characters into one request, unless one record has more', async () => {
    for (const size of [600_000, 400_000, 100_000, 2_000_000, 1]) {
      exporter.queue.add({ backend, payload: size, count: 1, size });
    }
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual([
      '[600000,400000]',
      '[100000]',
      '[2000000]',
      '[1]',
    ]);
  });

  it('sends at the end what is small first', async () => {
    await backEnd.behave('refused');
    for (const size of [900_000, 800_000, 10]) exporter.queue.add({ backend, payload: size, count: 1, size });
    await exporter.end('1');
    await backEnd.behave('works');
    await exporter.shutDown();

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['[10,800000]', '[900000]']);
  });

  it('tries again what was not taken for the moment, and not what was refused', async () => {
    await backEnd.behave('answers 429 -1');
    add('for the moment');
    await exporter.end('1');
    await backEnd.behave('answers 400');
    add('for good');
    await exporter.end('2');
    await backEnd.behave('works');
    await exporter.end('3');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual([
      '["for the moment"]',
      '["for the moment","for good"]',
    ]);
    expect([...exporter.queue.takeLost()]).toEqual([['records', 2]]);
  });

  it('counts at its end what is on its way and not answered', async () => {
    await backEnd.behave('never answers');
    add('on its way');
    await exporter.end('1');
    add('waiting');
    const written: [string, number][] = [];
    exporter.writeLosses = (lost) => written.push(...lost);
    await exporter.shutDown();

    expect(written).toEqual([['records', 2]]);
  });

  it('counts records that cannot be written, and goes on', async () => {
    add('fine');
    exporter.queue.add({
      backend: { ...backend, name: 'Broken', build: () => Promise.reject(new Error('no')) },
      payload: 1,
      count: 3,
    });
    await exporter.end('1');

    expect(backEnd.deliveries).toHaveLength(1);
    expect([...exporter.queue.takeLost()]).toEqual([['records', 3]]);
  });

  it('sends again at once over a new connection what went out over a pooled one that was dead', async () => {
    add('first');
    await exporter.end('1');
    backEnd.dropConnections();
    add('second');
    await exporter.end('2');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]', '["second"]']);
    expect([...exporter.queue.takeLost()]).toEqual([]);
  });

  it('counts of what is answered as rejected no more than there was', async () => {
    const boastful = { ...backend, rejected: () => 1e300 };
    exporter.queue.add({ backend: boastful, payload: 1, count: 3 });
    await exporter.end('1');

    expect([...exporter.queue.takeLost()]).toEqual([['records', 3]]);
  });

  it('takes a 2xx whose body cannot be read for what it says, and goes on', async () => {
    const broken = {
      ...backend,
      rejected: () => {
        throw new Error('no');
      },
    };
    exporter.queue.add({ backend: broken, payload: 1, count: 3 });
    await exporter.end('1');
    add('next');
    await exporter.end('2');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['[1]', '["next"]']);
    expect([...exporter.queue.takeLost()]).toEqual([]);
  });

  it('connects ahead of time and sends nothing, and the next POST takes that connection', async () => {
    exporter.backends.add(backend);
    exporter.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    expect(backEnd.deliveries).toEqual([]);
    add('first');
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
    expect(backEnd.connections.ever).toBe(1);
  });

  it('closes what it has opened ahead of time and did not need', async () => {
    exporter.backends.add(backend);
    exporter.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    exporter.queue.unprepare();
    await vi.waitUntil(() => backEnd.connections.open === 0);

    add('later');
    await exporter.end('1');
    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["later"]']);
  });

  it('connects again where the connection of before was lost', async () => {
    exporter.backends.add(backend);
    exporter.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    backEnd.dropConnections();
    await vi.waitUntil(() => backEnd.connections.open === 0);
    add('first');
    await exporter.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
    expect([...exporter.queue.takeLost()]).toEqual([]);
  });
});

describe('a back end that comes and goes', () => {
  const ways: Behaviour[] = [
    ...(['works', 'works', 'refused', 'reset', 'reset when read', 'garbage', 'never answers'] as const),
    ...(['answers 400', 'answers 429 -1', 'answers 503', 'answers 500', 'redirects', 'reset in its answer'] as const),
  ];

  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('has each record once, or has it counted as lost, and never both', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...ways), { maxLength: 12 }), async (behaviours) => {
        const backEnd = await startBackEnd();
        const exporter = new Exporter();
        exporter.warn = () => {};
        const backend: Backend = {
          name: 'Test',
          unit: 'records',
          recordsPerPost: 3,
          limitMilliseconds: 50,
          url: backEnd.url,
          build: (payloads) => ({ headers: {}, body: JSON.stringify(payloads) }),
        };
        let records = 0;
        for (const behaviour of behaviours) {
          await backEnd.behave(behaviour);
          for (const payload of [records, records + 1]) exporter.queue.add({ backend, payload, count: 1 });
          records += 2;
          await exporter.end('1');
          // Long enough for whatever is left alone to be tried again.
          vi.advanceTimersByTime(600_000);
        }
        await backEnd.behave('works');
        await exporter.end('1');
        const taken = backEnd.deliveries
          .filter(({ status = 0 }) => status >= 200 && status < 300)
          .flatMap(({ body }) => JSON.parse(String(body)) as number[]);
        const lost = exporter.queue.takeLost().get('records') ?? 0;
        await backEnd.stop();

        expect(new Set(taken).size).toBe(taken.length);
        expect(taken.length + lost).toBe(records);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['back by a day', -86_400_000],
    ['on by a day', 86_400_000],
  ])('is tried again, however long it said to wait, when the clock is set %s', async (_title, jump) => {
    const backEnd = await startBackEnd();
    const exporter = new Exporter();
    exporter.warn = () => {};
    const build: Backend['build'] = ([payload]) => ({ headers: {}, body: String(payload) });
    const backend: Backend = { name: 'Test', unit: 'records', recordsPerPost: 1, url: backEnd.url, build };
    exporter.queue.add({ backend, payload: 'kept', count: 1 });
    await backEnd.behave('answers 503 300');
    await exporter.end('1');
    await backEnd.behave('works');
    await exporter.end('2');
    expect(backEnd.deliveries).toHaveLength(1);

    vi.setSystemTime(Date.now() + jump);
    await exporter.end('3');
    expect(backEnd.deliveries.map(({ status }) => status)).toEqual([503, 200]);
    await backEnd.stop();
  });
});
