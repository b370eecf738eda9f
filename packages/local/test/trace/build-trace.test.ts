import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildTrace } from '../../src/trace/build-trace.ts';
import type { SegmentDocument, SpanRecord } from '../../src/trace/records.ts';
import { inOrder } from '../../src/trace/trace.ts';

const sampleTrace = '5f84c7a1e7d1852db8c4fd35d88bf49a';
const xray = '1-5f84c7a1-e7d1852db8c4fd35d88bf49a';
const id = (number: number) => number.toString(16).padStart(16, '0');

function segment(number: number, name: string, more: Partial<SegmentDocument> = {}): SegmentDocument {
  return { name, id: id(number), trace_id: xray, start_time: 1000 + number, end_time: 1100 - number, ...more };
}

function span(number: number, more: Partial<SpanRecord> = {}): SpanRecord {
  return {
    source: 'otlp',
    traceId: sampleTrace,
    spanId: id(number),
    name: `span ${number}`,
    kind: 'internal',
    startNanoseconds: 1_001_000_000_000n,
    endNanoseconds: 1_002_500_000_000n,
    status: 'unset',
    serviceName: 'cruddur',
    attributes: {},
    resource: {},
    events: [],
    links: [],
    sampleRate: 1,
    ...more,
  };
}

/** Gateway, Lambda, function with Init, handler and a DynamoDB call, as five documents. */
const sampleRequest: SegmentDocument[] = [
  segment(1, 'dev-cruddur/dev', {
    origin: 'AWS::ApiGateway::Stage',
    http: { request: { method: 'GET', url: 'https://api/home' }, response: { status: 200, content_length: 12 } },
    subsegments: [{ name: 'Lambda', id: id(2), start_time: 1002, end_time: 1098 }],
  }),
  segment(3, 'cruddur-home', { parent_id: id(2), origin: 'AWS::Lambda' }),
  segment(4, 'cruddur-home', {
    parent_id: id(3),
    origin: 'AWS::Lambda::Function',
    user: 'andrew',
    subsegments: [{ name: 'Init', id: id(5), start_time: 1005, end_time: 1006 }],
  }),
  segment(6, '## home', { parent_id: id(4), type: 'subsegment' }),
  segment(7, 'DynamoDB', { parent_id: id(6), type: 'subsegment', namespace: 'aws', aws: { operation: 'Query' } }),
];

function outline(documents: SegmentDocument[], spans: SpanRecord[] = []): string[] {
  const trace = buildTrace(sampleTrace, { documents, spans });
  const lines: string[] = [];
  const walk = (nodes: NonNullable<typeof trace>['roots'], depth: number) => {
    for (const node of nodes) {
      lines.push(`${'  '.repeat(depth)}${node.name}${node.orphan ? ' (orphan)' : ''}${node.inProgress ? ' …' : ''}`);
      walk(node.children, depth + 1);
    }
  };
  walk(trace?.roots ?? [], 0);
  return lines;
}

describe('a trace put together', () => {
  const expected = [
    'dev-cruddur/dev',
    '  Lambda',
    '    cruddur-home',
    '      cruddur-home',
    '        Init',
    '        ## home',
    '          DynamoDB',
  ];

  it('is one tree of segments, embedded subsegments and subsegments sent alone', () => {
    expect(outline(sampleRequest)).toEqual(expected);
  });

  it('is the same tree in whatever order and however often its documents arrive', () => {
    const arrivals = fc
      .shuffledSubarray([...sampleRequest, ...sampleRequest], { minLength: sampleRequest.length * 2 })
      .chain((documents) => fc.tuple(fc.constant(documents), fc.array(fc.nat(documents.length - 1), { maxLength: 4 })));
    fc.assert(
      fc.property(arrivals, ([documents, open]) => {
        const unfinished = open.map((at) => {
          const { end_time: _, ...document } = documents[at] as SegmentDocument;
          return { ...document, in_progress: true };
        });
        expect(outline([...unfinished.slice(0, 2), ...documents, ...unfinished.slice(2)])).toEqual(expected);
      }),
    );
  });

  it('takes request, status and user from the first segments that have them, and sees the cold start', () => {
    const trace = buildTrace(sampleTrace, { documents: sampleRequest, spans: [] });
    expect(trace).toMatchObject({
      xrayId: xray,
      http: { method: 'GET', url: 'https://api/home', status: 200 },
      user: 'andrew',
      coldStart: true,
      start: 1_001_000,
      end: 1_099_000,
      duration: 98_000,
      inProgress: false,
    });
  });

  it('sees a cold start in the older layout too, where Initialization is sent alone', () => {
    const older = [
      segment(4, 'home', { origin: 'AWS::Lambda::Function' }),
      segment(5, 'Initialization', { parent_id: id(4), type: 'subsegment' }),
    ];
    expect(buildTrace(sampleTrace, { documents: older, spans: [] })?.coldStart).toBe(true);
    expect(buildTrace(sampleTrace, { documents: older.slice(0, 1), spans: [] })?.coldStart).toBe(false);
  });

  it('shows what has no parent here as an orphan beside the roots', () => {
    expect(outline(sampleRequest.slice(0, 1).concat(sampleRequest.slice(3)))).toEqual([
      'dev-cruddur/dev',
      '  Lambda',
      '## home (orphan)',
      '  DynamoDB',
    ]);
  });

  it('never lets a late document in progress replace the complete one, and takes the newest complete one', () => {
    const { end_time: _, ...open } = segment(1, 'first');
    const late = { ...open, name: 'late', in_progress: true };
    expect(outline([{ ...open, in_progress: true }])).toEqual(['first …']);
    expect(outline([{ ...open, in_progress: true }, segment(1, 'done'), late])).toEqual(['done']);
    expect(outline([segment(1, 'done'), segment(1, 'done again'), late])).toEqual(['done again']);
  });

  it('opens a ring of parents above its earliest node instead of turning in it', () => {
    const ring = [
      segment(1, 'one', { parent_id: id(3) }),
      segment(2, 'two', { parent_id: id(1) }),
      segment(3, 'three', { parent_id: id(2) }),
      segment(4, 'self', { parent_id: id(4) }),
    ];
    expect(outline(ring)).toEqual(['one (orphan)', '  two', '    three', 'self (orphan)']);
  });

  it('holds every node exactly once, whatever its parent ids say', () => {
    const parents = fc.array(fc.option(fc.nat(12), { nil: undefined }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(parents, (numbers) => {
        const documents = numbers.map((parent, number) =>
          segment(number, `n${number}`, parent === undefined ? {} : { parent_id: id(parent) }),
        );
        const trace = buildTrace(sampleTrace, { documents, spans: [] });
        const seen = [...inOrder(trace?.roots ?? [])].map((node) => node.id).sort();
        expect(seen).toEqual(documents.map((document) => document.id).sort());
      }),
    );
  });

  it('can be written as JSON however deep its parent ids nest', () => {
    const documents = Array.from({ length: 20_000 }, (_, number) =>
      segment(number + 1, 'n', { start_time: 1, ...(number > 0 && { parent_id: id(number) }) }),
    );
    const trace = buildTrace(sampleTrace, { documents, spans: [] });
    expect(JSON.stringify(trace).match(/"name"/g)).toHaveLength(20_000);
    expect(trace?.roots.map(({ orphan }) => orphan)).toEqual([false, ...Array.from({ length: 39 }, () => true)]);
  });

  it('makes a subsegment and a span with one id one node of both sources', () => {
    const trace = buildTrace(sampleTrace, {
      documents: sampleRequest,
      spans: [span(6, { parentId: id(99), attributes: { 'app.now': 'x' } }), span(8, { parentId: id(6) })],
    });
    const nodes = [...inOrder(trace?.roots ?? [])];
    expect(nodes.filter((node) => node.id === id(6))).toHaveLength(1);
    expect(nodes.find((node) => node.id === id(6))).toMatchObject({
      name: '## home',
      type: 'subsegment',
      sources: ['xray', 'otlp'],
      attributes: { 'app.now': 'x' },
      parentId: id(4),
    });
    expect(nodes.find((node) => node.id === id(8))).toMatchObject({ type: 'span', duration: 1500, orphan: false });
  });

  it("takes the parent that OpenTelemetry names where X-Ray's is not here", () => {
    const documents = [segment(1, 'root'), segment(2, 'child', { parent_id: id(77), type: 'subsegment' })];
    expect(outline(documents, [span(2, { parentId: id(1) })])).toEqual(['root', '  child']);
  });

  it('takes its flags from its root alone, as X-Ray does', () => {
    const inner = segment(2, 'caught', { parent_id: id(1), type: 'subsegment', fault: true });
    const flags = (documents: SegmentDocument[]) => buildTrace(sampleTrace, { documents, spans: [] });
    expect(flags([segment(1, 'root'), inner])).toMatchObject({ fault: false, error: false });
    expect(flags([segment(1, 'root', { error: true, throttle: true }), inner])).toMatchObject({
      fault: false,
      error: true,
      throttle: true,
    });
    expect(flags([segment(1, 'of a caller elsewhere', { parent_id: id(9), fault: true }), inner])?.fault).toBe(true);
  });

  it('calls a failed span an error where its status is a 4xx, else a fault', () => {
    const failed = (attributes: SpanRecord['attributes']) =>
      buildTrace(sampleTrace, { documents: [], spans: [span(1, { status: 'error', attributes })] });
    expect(failed({})).toMatchObject({ fault: true, error: false });
    expect(failed({ 'http.response.status_code': 429n, 'http.request.method': 'GET' })).toMatchObject({
      fault: false,
      error: true,
      throttle: true,
      http: { method: 'GET', status: 429 },
    });
  });

  it('names a request by its route where nobody knows its path, as when X-Ray has not sampled it', () => {
    const attributes = { 'http.request.method': 'GET', 'http.route': '/users/{id}' };
    const request = (more: SpanRecord['attributes']) =>
      buildTrace(sampleTrace, { documents: [], spans: [span(1, { attributes: { ...attributes, ...more } })] })?.http;
    expect(request({})).toEqual({ method: 'GET', url: '/users/{id}' });
    expect(request({ 'url.path': '/users/7' })).toEqual({ method: 'GET', url: '/users/7' });
  });

  it('keeps exceptions with their stack, from the cause of a segment and from the events of a span', () => {
    const stack = [{ path: 'home.js', line: 3, label: 'home' }];
    const cause = { exceptions: [{ id: id(1), type: 'TypeError', message: 'no', stack }] };
    const events = [
      { timeNanoseconds: 1n, name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } },
    ];
    const trace = buildTrace(sampleTrace, { documents: [segment(1, 'a', { cause })], spans: [span(2, { events })] });
    expect(trace?.roots.map(({ exceptions }) => exceptions)).toEqual([
      [{ type: 'TypeError', message: 'no', stack }],
      [{ type: 'E', message: 'm', stack: [] }],
    ]);
  });

  it('is made of its log lines alone where nothing of it was sampled', () => {
    const logs = [{ time: 5, message: 'hello', logGroup: 'g' }];
    expect(buildTrace(sampleTrace, { documents: [], spans: [], logs })).toMatchObject({
      start: 5,
      end: 5,
      roots: [],
      logs,
    });
    expect(buildTrace(sampleTrace, { documents: [], spans: [] })).toBeUndefined();
  });
});
