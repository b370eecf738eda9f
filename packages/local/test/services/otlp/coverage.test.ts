import { create, type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExportLogsServiceRequestSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js';
import { ExportMetricsServiceRequestSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import { ExportTraceServiceRequestSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { openStore } from '../../../src/store/index.ts';
import { toJson } from '../../../src/trace/to-json.ts';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';
import { protobuf, sampleSpanId, sampleTraceId, start } from './requests.ts';
import { leftOut } from './unmapped-fields.ts';

const common = 'opentelemetry.proto.common.v1';
const signals: [path: string, schema: DescMessage][] = [
  ['/v1/traces', ExportTraceServiceRequestSchema],
  ['/v1/logs', ExportLogsServiceRequestSchema],
  ['/v1/metrics', ExportMetricsServiceRequestSchema],
];

const fullName = (field: DescField) => `${field.parent.typeName}.${field.name}`;
const isText = (message: DescMessage | undefined) => message?.typeName === `${common}.AnyValue`;
const isPair = (message: DescMessage | undefined) => message?.typeName === `${common}.KeyValue`;

/**
 * Every way from `schema` down to a field that holds a value. Attributes end the way, but for those
 * of a span: what an attribute may hold is the same everywhere.
 */
function leaves(schema: DescMessage, way: DescField[] = []): DescField[][] {
  return schema.fields.flatMap((field) => {
    const here = [...way, field];
    if (leftOut[fullName(field)]) return [here];
    if (!field.message || way.some((above) => above.message === field.message)) return [here];
    const insideAttributes = way.some((above) => fullName(above).endsWith('trace.v1.Span.attributes'));
    const expanded = insideAttributes || fullName(field).endsWith('trace.v1.Span.attributes');
    return (isPair(field.message) || isText(field.message)) && !expanded ? [here] : leaves(field.message, here);
  });
}

type Fields = Message & Record<string, unknown>;
const time = (start / 1_000_000n) * 1_000_000n;
const millisecond = 1_000_000n;

/** Messages that hold records, and would show nothing without one. */
const container = /^(?:(?:resource|scope)(?:Spans|Logs|Metrics)|spans|logRecords|metrics|dataPoints)$/;

/** A message that would be accepted if it had nothing but this. */
function acceptable(schema: DescMessage): Fields {
  const fields: Record<string, unknown> = {};
  const names = new Set(schema.fields.map((field) => field.localName));
  if (names.has('traceId')) fields.traceId = Buffer.from(sampleTraceId, 'hex');
  if (names.has('spanId')) fields.spanId = Buffer.from(sampleSpanId, 'hex');
  if (names.has('startTimeUnixNano')) fields.startTimeUnixNano = time;
  if (names.has('timeUnixNano')) fields.timeUnixNano = time;
  if (names.has('endTimeUnixNano')) fields.endTimeUnixNano = time + 3600_000n * millisecond;
  // A record without a body shows its event's name in its place.
  if (names.has('eventName')) fields.body = { value: { case: 'stringValue', value: 'body' } };
  if (names.has('asDouble')) fields.value = { case: 'asDouble', value: 1 };
  for (const { localName, message } of schema.fields) {
    if (message && container.test(localName)) fields[localName] = [acceptable(message)];
    if (message && localName === 'gauge') fields.data = { case: localName, value: acceptable(message) };
  }
  return create(schema, fields) as Fields;
}

/** A value that appears nowhere else in a request, and how a record would show it. */
function distinct(field: DescField, n: number): { value: unknown; shown: string } {
  if (isPair(field.message)) {
    const value = { case: 'stringValue', value: `value-${n}` };
    return { value: { key: `key-${n}`, value: { value } }, shown: `"key-${n}":"value-${n}"` };
  }
  if (isText(field.message))
    return { value: { value: { case: 'stringValue', value: `TEXT-${n}` } }, shown: `TEXT-${n}` };
  if (field.enum) return { value: field.enum.values.at(-1)?.number, shown: '' };
  switch (field.scalar) {
    case ScalarType.STRING:
      return { value: `TEXT-${n}`, shown: `TEXT-${n}` };
    case ScalarType.BOOL:
      return { value: true, shown: 'true' };
    case ScalarType.DOUBLE:
      return { value: n + 0.25, shown: `${n}.25` };
    case ScalarType.BYTES: {
      const length = field.localName === 'traceId' ? 16 : 8;
      const bytes = Buffer.alloc(length, n % 251 || 1);
      return { value: bytes, shown: field.localName.endsWith('Id') ? bytes.toString('hex') : bytes.toString('base64') };
    }
    case ScalarType.FIXED64:
      if (field.localName.endsWith('TimeUnixNano') || field.localName === 'timeUnixNano') {
        const earlier = field.localName === 'startTimeUnixNano';
        const value = earlier ? time - BigInt(n) * millisecond : time + BigInt(n) * millisecond;
        return { value, shown: String(value / millisecond) };
      }
      return { value: BigInt(7_000_000 + n), shown: String(7_000_000 + n) };
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SFIXED64:
      return { value: BigInt(7_000_000 + n), shown: String(7_000_000 + n) };
    default:
      // Even: the lowest flag of a data point says that it has no value.
      return { value: 8_000_000 + 2 * n, shown: String(8_000_000 + 2 * n) };
  }
}

/**
 * A request that is acceptable, with what the way leads to set to `value`; without a value it is
 * only acceptable.
 */
function requestFor(schema: DescMessage, way: DescField[], value: unknown): Fields {
  const root = acceptable(schema);
  let message = root;
  for (const [index, field] of way.entries()) {
    const last = index === way.length - 1;
    if (last && value === undefined) break;
    const inner = last
      ? value
      : isPair(field.message)
        ? pair(field.message)
        : field.message && acceptable(field.message);
    const held =
      last && field.message && inner !== undefined ? create(field.message, inner as Record<string, unknown>) : inner;
    const put = field.fieldKind === 'list' ? [held] : held;
    if (field.oneof) message[field.oneof.localName] = { case: field.localName, value: put };
    else message[field.localName] = put;
    message = inner as Fields;
  }
  return root;
}

function pair(schema: DescMessage | undefined): Fields {
  if (!schema) throw new Error('no pair');
  return create(schema, { key: 'key', value: { value: { case: 'boolValue', value: false } } } as never) as Fields;
}

describe('every field of the protocol', () => {
  let running: RunningReceivers;
  beforeAll(async () => {
    running = await runReceivers();
  });
  afterAll(() => running.receivers.stop());

  async function recordsOf(path: string, schema: DescMessage, message: Fields): Promise<string> {
    const { sink } = running;
    for (const list of [sink.spans, sink.logs, sink.metrics, sink.rejections]) list.length = 0;
    const response = await running.post(path, toBinary(schema, message as Message), protobuf);
    expect(response.status).toBe(200);
    expect(sink.rejections).toEqual([]);
    return JSON.stringify([sink.spans, sink.logs, sink.metrics], (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  }

  /** All that the page is given of what was sent: its traces, and what belongs to none. */
  async function shownOf(path: string, schema: DescMessage, message: Fields): Promise<string> {
    await recordsOf(path, schema, message);
    const store = await openStore({ file: ':memory:' });
    const { sink } = running;
    for (const span of sink.spans) store.span(span);
    for (const log of sink.logs) store.log(log);
    for (const metric of sink.metrics) store.metric(metric);
    const ids = [...sink.spans, ...sink.logs, ...sink.metrics].map(({ traceId }) => traceId);
    const traces = await Promise.all(ids.map((id) => (id ? store.trace(id) : undefined)));
    const shown = toJson([...traces, await store.orphans()]);
    await store.close();
    return shown;
  }

  const cases = signals.flatMap(([path, schema]) => leaves(schema).map((way) => ({ path, schema, way })));
  const kept = cases.filter(({ way }) => !way.some((field) => leftOut[fullName(field)]));

  it.each(
    kept.map((one, n) => ({ ...one, n, name: `${one.path} ${one.way.map((field) => field.localName).join('.')}` })),
  )('has a place in a record: $name', async ({ path, schema, way, n }) => {
    const field = way.at(-1);
    if (!field) throw new Error('a way without a field');
    const { value, shown } = distinct(field, n + 1);
    const without = await recordsOf(path, schema, requestFor(schema, way, undefined));
    const withIt = await recordsOf(path, schema, requestFor(schema, way, value));
    expect(withIt).not.toBe(without);
    expect(withIt).toContain(shown);
  });

  it.each(
    kept.map((one, n) => ({ ...one, n, name: `${one.path} ${one.way.map((field) => field.localName).join('.')}` })),
  )('is in the JSON of the page: $name', async ({ path, schema, way, n }) => {
    const field = way.at(-1);
    if (!field) throw new Error('a way without a field');
    const { value, shown } = distinct(field, n + 1);
    const without = await shownOf(path, schema, requestFor(schema, way, undefined));
    const withIt = await shownOf(path, schema, requestFor(schema, way, value));
    expect(withIt).not.toBe(without);
    // A trace writes times as milliseconds with a fraction.
    expect(withIt).toContain(shown);
  });

  it.each(Object.keys(leftOut))('is in the protocol when it is said to be left out: %s', (name) => {
    expect(cases.flatMap(({ way }) => way.map(fullName))).toContain(name);
  });
});
