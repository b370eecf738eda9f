import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type LambdaHarness, runtimeClients, startLambdaHarness } from '../harness/lambda-harness.ts';

const fixture = (name: string): string => path.join(import.meta.dirname, '../fixture', name);

describe.each(runtimeClients)('with $name', ({ runtime, skipped }) => {
  let harness: LambdaHarness;

  afterEach(() => harness?.stop());

  it.skipIf(skipped)(
    "the X-Ray SDK's current segment is that of each of three calls at a time, over timers, streams and HTTP",
    async () => {
      harness = await startLambdaHarness({ runtime, handler: fixture('segments.ts') });
      for (let request = 0; request < 2; request += 1) {
        const { response } = await harness.invoke({ path: '/' });
        const { segments, namespace, after } = JSON.parse(response?.body ?? '');

        expect(segments).toEqual(['first', 'second', 'the third'].map((name) => Array(8).fill(name)));
        expect(namespace).toBe('StorageNamespace');
        expect(after).toBe('## handlers/probe.handler');
      }
    },
  );

  it.skipIf(skipped)("the X-Ray SDK is left as it is where Powertools' Tracer was loaded first", async () => {
    harness = await startLambdaHarness({ runtime, handler: fixture('powertools.ts') });
    const { response } = await harness.invoke({ path: '/segment' });

    expect(response?.body).toBe('{"segment":"outer"}');
  });
});
