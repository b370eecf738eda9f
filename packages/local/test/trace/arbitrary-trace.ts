import fc from 'fast-check';
import { statisticsOf } from '../../src/trace/statistics.ts';
import type { Trace, TraceNode } from '../../src/trace/trace.ts';
import { node, trace } from './sample-trace.ts';

/**
 * Text as hostile as it can arrive: escapes, controls, overrides, marks, wide and joined
 * characters, lone surrogates.
 */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          '\u001b[31m',
          '\u001b]0;title\u0007',
          '\u009b2J',
          '\r\n',
          '\t',
          '\u0000',
          '\u202e',
          '\u2028',
          '\u0301',
          '\ud800',
        ],
        ...[
          '日本',
          '👩‍👩‍👧‍👦',
          '🇩🇪',
          '🇩',
          '\u200d',
          '\ufe0f',
          '1\ufe0f\u20e3',
          '\u20e3',
          'a',
          ' ',
          'word',
          '{"level":"ERROR"}',
          'e\u0301'.repeat(9),
        ],
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join('')),
);

const time = fc.oneof(
  fc.double({ min: -10, max: 500, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e15, 1e15),
);

const anyNode: (depth?: number) => fc.Arbitrary<TraceNode> = fc.memo((depth) =>
  fc
    .record({
      name: hostileText,
      from: time,
      to: fc.option(time, { nil: undefined }),
      flags: fc.record({ error: fc.boolean(), fault: fc.boolean(), throttle: fc.boolean(), orphan: fc.boolean() }),
      origin: fc.option(hostileText, { nil: undefined }),
      type: fc.constantFrom<TraceNode['type']>('segment', 'subsegment', 'span'),
      namespace: fc.constantFrom('aws', 'remote', undefined),
      http: fc.option(fc.record({ method: hostileText, url: hostileText, status: fc.integer() }), { nil: undefined }),
      operation: fc.anything(),
      annotations: fc.dictionary(hostileText, fc.anything({ withBigInt: true }), { maxKeys: 3 }),
      exceptions: fc.array(
        fc.record({
          type: hostileText,
          message: hostileText,
          stack: fc.array(fc.record({ path: hostileText, label: hostileText })),
        }),
        { maxLength: 2 },
      ),
      children: depth <= 1 ? fc.constant<TraceNode[]>([]) : fc.array(anyNode(depth - 1), { maxLength: 3 }),
    })
    .map(({ name, from, to, flags, origin, namespace, http, operation, ...rest }) =>
      node(name, from, to, {
        ...flags,
        ...rest,
        ...(origin === undefined ? {} : { origin }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(http === undefined ? {} : { http }),
        aws: { operation },
      }),
    ),
);

/** Any trace at all, and worse than the store would ever build. */
export const anyTrace: fc.Arbitrary<Trace> = fc
  .record({
    roots: fc.array(anyNode(4), { maxLength: 3 }),
    end: time,
    inProgress: fc.boolean(),
    coldStart: fc.boolean(),
    http: fc.record({ method: hostileText, url: hostileText, status: fc.integer() }),
    user: hostileText,
    logs: fc.array(fc.record({ time, level: hostileText, message: hostileText, logGroup: hostileText }), {
      maxLength: 4,
    }),
    metrics: fc.array(
      fc
        .record({
          time,
          namespace: hostileText,
          name: hostileText,
          unit: fc.constantFrom('Milliseconds', 'Count', 'Bytes'),
          dimensions: fc.constant({}),
          values: fc.array(fc.double(), { maxLength: 3 }),
        })
        .map((metric) => ({ ...metric, statistics: statisticsOf(metric.values) })),
      { maxLength: 3 },
    ),
    errors: fc.array(
      fc.record({
        time,
        uuid: fc.constant('u'),
        level: hostileText,
        title: hostileText,
        fingerprint: fc.constant('f'),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ roots, ...more }) => trace(roots, more));
