import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { observeInvocations } from '../../src/export/invocations.ts';
import { spansOf } from '../harness/back-end.ts';
import { type Invocation, type LambdaHarness, runtimeClients, startLambdaHarness } from '../harness/lambda-harness.ts';

interface Store {
  run(context: object, work: () => unknown): unknown;
}

const holder = globalThis as { awslambda?: { InvokeStore?: Store; other?: string } };
const context = (requestId: string): object => ({ [Symbol.for('_AWS_LAMBDA_REQUEST_ID')]: requestId });
const newStore = (): Store => ({ run: (_context, work) => work() });

describe('the observer of invocations', () => {
  afterEach(() => void Reflect.deleteProperty(globalThis, 'awslambda'));

  function observed(): string[] {
    const heard: string[] = [];
    observeInvocations({
      began: (requestId) => heard.push(`began ${requestId}`),
      answered: (requestId) => heard.push(`answered ${requestId}`),
    });
    return heard;
  }

  it('hears of each one before its handler is called, and after what the runtime does with its result', async () => {
    holder.awslambda = { InvokeStore: newStore() };
    const heard = observed();
    const result = holder.awslambda.InvokeStore?.run(context('1'), async () => {
      heard.push('handler');
      await new Promise((resolve) => setImmediate(resolve));
      heard.push('posted');
      return 'result';
    });

    expect(await result).toBe('result');
    expect(heard).toEqual(['began 1', 'handler', 'posted', 'answered 1']);
  });

  it.each([
    ['is there already', (store: Store) => (holder.awslambda = { InvokeStore: store }), () => {}],
    [
      'is made later, in an object that is copied before',
      () => {},
      (store: Store) => {
        holder.awslambda = holder.awslambda || {};
        holder.awslambda = { ...holder.awslambda, other: 'kept' };
        holder.awslambda.InvokeStore = store;
      },
    ],
    [
      'is made later, in an object that was there',
      () => (holder.awslambda = { other: 'kept' }),
      (store: Store) => {
        if (holder.awslambda) holder.awslambda.InvokeStore = store;
      },
    ],
    ['comes with its object', () => {}, (store: Store) => (holder.awslambda = { InvokeStore: store })],
  ])('finds a store that %s, and leaves nothing but it behind', async (_title, before, after) => {
    const store = newStore();
    before(store);
    const heard = observed();
    after(store);
    await holder.awslambda?.InvokeStore?.run(context('1'), async () => {});

    expect(heard).toEqual(['began 1', 'answered 1']);
    expect(holder.awslambda?.InvokeStore).toBe(store);
    expect(Object.getOwnPropertyDescriptor(globalThis, 'awslambda')).toMatchObject({ writable: true });
    expect(Object.getOwnPropertyDescriptor(holder.awslambda, 'InvokeStore')).toMatchObject({ writable: true });
  });

  it('hears of what fails, and throws what it throws', async () => {
    holder.awslambda = { InvokeStore: newStore() };
    const heard = observed();
    const run = (work: () => unknown): unknown => holder.awslambda?.InvokeStore?.run(context('1'), work);

    await expect(run(() => Promise.reject(new Error('later')))).rejects.toThrow('later');
    expect(() =>
      run(() => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
    expect(heard).toEqual(['began 1', 'answered 1', 'began 1', 'answered 1']);
  });

  it('hears nothing of what has no id', () => {
    holder.awslambda = { InvokeStore: newStore() };
    const heard = observed();

    expect(holder.awslambda.InvokeStore?.run({}, () => 'result')).toBe('result');
    expect(heard).toEqual([]);
  });
});

for (const { runtime, name, skipped } of runtimeClients) {
  describe.skipIf(skipped)(`a handler that knows nothing of this project, with its layer, under ${name}`, () => {
    let harness: LambdaHarness;

    beforeAll(async () => {
      harness = await startLambdaHarness({
        layer: true,
        runtime,
        handler: path.join(import.meta.dirname, '../fixture/foreign.ts'),
      });
    });
    afterAll(() => harness.stop());

    const spanNames = async ({ traceId }: Invocation): Promise<string[]> =>
      (await spansOf(harness.otlp.deliveries)).filter((span) => span.traceId === traceId).map((span) => span.name);

    it.each([
      ['answers', '/ok', '1'],
      ['throws', '/fault', '1'],
      ['takes longer than a second', '/slow', '600'],
    ])(
      'that %s has its spans sent after the answer, all at once, while the environment is held',
      async (_title, target, duration) => {
        await harness.otlp.behave('answers when told');
        const before = harness.otlp.deliveries.length;
        const invocation = await harness.invoke({ path: target, query: { for: duration } });
        const delivery = (await harness.otlp.received(before + 1))[before];
        const reports = (): number =>
          harness.lines.filter(({ message }) => message.startsWith(`REPORT RequestId: ${invocation.requestId}`)).length;

        expect(invocation.error?.message).toBe(target === '/fault' ? 'out of cheese' : undefined);
        expect(delivery?.answered).toBeUndefined();
        expect(reports()).toBe(0);
        expect(await spanNames(invocation)).toEqual(['first', 'second']);
        harness.otlp.answer();
        await harness.idle(invocation);
        await harness.otlp.behave('works');
      },
    );

    it('that has no span is let go of, and so is what comes after it', async () => {
      for (const target of ['/without-spans', '/ok', '/without-spans']) {
        const invocation = await harness.invoke({ path: target });
        await harness.idle(invocation);

        expect(invocation).toMatchObject({ coldStart: false, response: { statusCode: 200 } });
        expect(await spanNames(invocation)).toEqual(target === '/ok' ? ['first', 'second'] : []);
      }
    });
  });
}
