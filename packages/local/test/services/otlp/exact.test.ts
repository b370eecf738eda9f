import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';

let running: RunningReceivers;
beforeEach(async () => {
  running = await runReceivers();
});
afterEach(() => running.receivers.stop());

/** The JSON text of a request with one span; `value` is JSON text too. */
const withAttribute = (value: string, resource = '"shop"') => `{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":${resource}}}]},
  "scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n",
  "startTimeUnixNano":1795363079000000001,"endTimeUnixNano":"1795363079000000003",
  "attributes":[{"key":"a","value":${value}}]}]}]}]}`;

describe('OTLP JSON', () => {
  it.each([
    ['{"intValue":9007199254740993}', 9007199254740993n],
    ['{"intValue":"9007199254740993"}', 9007199254740993n],
    ['{"intValue":-9223372036854775808}', -9223372036854775808n],
    ['{"intValue":42}', 42],
    ['{"doubleValue":12345678901234567890}', Number('12345678901234567890')],
    ['{"stringValue":"9007199254740993"}', '9007199254740993'],
    ['{"stringValue":"party \\ud83c"}', 'party \ufffd'],
    ['{"stringValue":"\\udf89 party"}', '\ufffd party'],
    ['{"stringValue":"party \\ud83c\\udf89"}', 'party 🎉'],
    ['{"stringValue":"\\\\ud83c"}', '\\ud83c'],
  ])('keeps %s exactly', async (json, value) => {
    const response = await running.post('/v1/traces', withAttribute(json));
    expect(await response.json()).toEqual({});
    expect(running.sink.spans.map(({ attributes }) => attributes.a)).toEqual([value]);
    expect(running.sink.spans[0]?.startNanoseconds).toBe(1795363079000000001n);
  });

  it('keeps the spans of a resource with half a pair of surrogates', async () => {
    await running.post('/v1/traces', withAttribute('{"intValue":1}', '"shop \\ud83c"'));
    expect(running.sink.spans.map(({ serviceName }) => serviceName)).toEqual(['shop \ufffd']);
  });
});
