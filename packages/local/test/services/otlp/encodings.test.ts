import { create, type JsonObject, type MessageInitShape, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ExportTraceServiceRequestSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { AnyValueSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/common/v1/common_pb.js';
import {
  Span_SpanKind,
  type SpanSchema,
} from '../../../src/services/otlp/generated/opentelemetry/proto/trace/v1/trace_pb.js';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';
import { protobuf } from './requests.ts';

let running: RunningReceivers;
beforeAll(async () => {
  running = await runReceivers();
});
afterAll(() => running.receivers.stop());

type AnyValueInit = MessageInitShape<typeof AnyValueSchema>;
const held = (kind: string, value: unknown) => ({ value: { case: kind, value } }) as AnyValueInit;

const { anyValue } = fc.letrec<{ anyValue: AnyValueInit }>((tie) => ({
  anyValue: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }).map((text) => held('stringValue', text)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((integer) => held('intValue', integer)),
    // JSON.stringify writes -0 as 0: the test's own encoder loses the sign, which no receiver can
    // find again.
    fc.double({ noNaN: true }).map((double) => held('doubleValue', double === 0 ? 0 : double)),
    fc.boolean().map((boolean) => held('boolValue', boolean)),
    fc.uint8Array().map((bytes) => held('bytesValue', bytes)),
    fc.array(tie('anyValue')).map((values) => held('arrayValue', { values })),
    fc.array(fc.record({ key: fc.string(), value: tie('anyValue') })).map((values) => held('kvlistValue', { values })),
  ),
}));
const attributes = fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: anyValue }), { maxLength: 5 });
const id = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const span: fc.Arbitrary<MessageInitShape<typeof SpanSchema>> = fc.record({
  // Now and then of a wrong length: what is rejected must be the same too.
  traceId: fc.oneof({ weight: 9, arbitrary: id(16) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) }),
  spanId: id(8),
  parentSpanId: fc.oneof(id(8), fc.constant(new Uint8Array())),
  name: fc.string({ unit: 'grapheme' }),
  kind: fc.constantFrom(Span_SpanKind.SERVER, Span_SpanKind.CLIENT, Span_SpanKind.UNSPECIFIED),
  startTimeUnixNano: fc.bigInt({ min: 1n, max: 2n ** 62n }),
  endTimeUnixNano: fc.bigInt({ min: 2n ** 62n, max: 2n ** 63n - 1n }),
  attributes,
  events: fc.array(fc.record({ timeUnixNano: time, name: fc.string(), attributes }), { maxLength: 2 }),
  links: fc.array(fc.record({ traceId: id(16), spanId: id(8), attributes }), { maxLength: 2 }),
});

/** protobuf's own JSON has ids in base64 and enums by name; OTLP's has hex digits and numbers. */
function otlpJson(request: JsonObject, kinds: number[]): string {
  const [inResource] = request.resourceSpans as JsonObject[];
  const [inScope] = (inResource?.scopeSpans ?? []) as JsonObject[];
  const spans = (inScope?.spans ?? []) as JsonObject[];
  const links = spans.flatMap((one) => (one.links ?? []) as JsonObject[]);
  for (const one of [...spans, ...links]) {
    for (const key of ['traceId', 'spanId', 'parentSpanId']) {
      const value = one[key];
      if (typeof value === 'string') one[key] = Buffer.from(value, 'base64').toString('hex');
    }
  }
  for (const [index, one] of spans.entries()) one.kind = kinds[index] ?? 0;
  return JSON.stringify(request);
}

it('yields the same records from protobuf and from JSON, whatever the spans', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 4 }), async (spans) => {
      const request = create(ExportTraceServiceRequestSchema, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
      const { sink } = running;
      const received = async (body: string | Uint8Array, headers = {}) => {
        sink.spans.length = 0;
        sink.rejections.length = 0;
        const response = await running.post('/v1/traces', body, headers);
        expect(response.status).toBe(200);
        return { spans: [...sink.spans], rejections: [...sink.rejections] };
      };
      const fromProtobuf = await received(toBinary(ExportTraceServiceRequestSchema, request), protobuf);
      const json = toJson(ExportTraceServiceRequestSchema, request) as JsonObject;
      const fromJson = await received(
        otlpJson(
          json,
          spans.map((one) => one.kind ?? 0),
        ),
      );
      expect(fromJson).toEqual(fromProtobuf);
      expect(fromProtobuf.spans.length + fromProtobuf.rejections.length).toBe(spans.length);
    }),
    { numRuns: 200 },
  );
});
