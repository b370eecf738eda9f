import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from '../../../src/services/xray/filter/evaluate.ts';
import type { Filter, ServiceSelector } from '../../../src/services/xray/filter/grammar.ts';
import { booleans, numbers, ofAService, strings } from '../../../src/services/xray/filter/grammar.ts';
import { parseFilter } from '../../../src/services/xray/filter/parse.ts';
import { FilterError } from '../../../src/services/xray/filter/tokens.ts';
import { buildTrace } from '../../../src/trace/build-trace.ts';
import type { SegmentDocument } from '../../../src/trace/records.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { request } from './fixture.ts';

function traceOf(documents: SegmentDocument[]): Trace {
  const trace = buildTrace('6553f100000000000000000000000001', { documents, spans: [] });
  if (!trace) throw new Error('no trace');
  return trace;
}

const plain = traceOf(request(1));
const faulty = traceOf(request(1, { fault: true }));
const caught = traceOf(request(1, { innerFault: true }));
const says = (expression: string, trace: Trace = plain) => matches(parseFilter(expression), trace);

describe('a filter expression', () => {
  it.each([
    'ok',
    'ok = true',
    'fault = false',
    '!fault',
    '!!ok',
    'ok != false',
    'responsetime > 0.9 AND responsetime < 1',
    'duration >= 0.98',
    'http.status = 200',
    'http.status != 404',
    'http.url CONTAINS "/activities/"',
    'http.url BEGINSWITH "https://"',
    "http.url ENDSWITH 'home'",
    'http.method = "GET"',
    'http.useragent = "curl" AND http.clientip = "127.0.0.1"',
    'user = "andrewbrown"',
    'resource.arn BEGINSWITH "arn:aws:apigateway"',
    'annotation.route = "/home"',
    'annotation[route] = "/home"',
    'annotation["route"] CONTAINS "om"',
    'annotation.size = 1 AND annotation.size <= 1',
    'annotation.cached = false',
    '!annotation.cached',
    'fault OR error OR (throttle OR ok)',
    'ok AND !(fault AND error)',
    'ok and annotation.size = 1 or fault',
    'service("cruddur-dev-home")',
    'service()',
    'service(id(name: "cruddur-dev-home", type: "AWS::Lambda::Function"))',
    'service("cruddur") { inferred AND type = "AWS::DynamoDB::Table" }',
    'service("dev-cruddur/dev") { root AND http.status = 200 }',
    'service() { name BEGINSWITH "cruddur" AND user = "andrewbrown" }',
    'edge("dev-cruddur/dev", "cruddur-dev-home")',
    'edge("cruddur-dev-home", "cruddur") { ok }',
    'edge(id(name: "cruddur-dev-home", type: "AWS::Lambda"), id(type: "AWS::Lambda::Function"))',
    '!service("other")',
  ])('finds the trace by %s', (expression) => {
    expect(says(expression)).toBe(true);
  });

  it.each([
    'fault',
    'ok = false',
    'partial',
    'http.status >= 400',
    'http.url = "/home"',
    'http.url CONTAINS "ACTIVITIES"',
    'user = "bayko"',
    'annotation.size = "1"',
    'annotation.none = 1',
    'annotation.none != 1',
    'annotation.constructor != 1',
    'service("Cruddur")',
    'service("cruddur-dev-home") { fault }',
    'service(id(name: "cruddur", type: "AWS::SQS::Queue"))',
    'edge("cruddur", "cruddur-dev-home")',
    'edge("dev-cruddur/dev", "cruddur")',
    'availabilityzone = "eu-west-1a"',
  ])('does not find it by %s', (expression) => {
    expect(says(expression)).toBe(false);
  });

  it('looks at the trace level where fault stands alone, and downstream in service() { }', () => {
    expect(says('fault', faulty)).toBe(true);
    expect(says('fault', caught)).toBe(false);
    const downstream = traceOf(
      request(1).map((part) => (part.origin === 'AWS::Lambda' ? { ...part, fault: true } : part)),
    );
    expect(says('fault', downstream)).toBe(false);
    expect(says('service() { fault }', downstream)).toBe(true);
    expect(says('service("dev-cruddur/dev") { fault }', downstream)).toBe(false);
    expect(says('service() { message CONTAINS "deep" }', caught)).toBe(true);
  });

  it.each([
    ['', 'A keyword is missing before the end at position 0'],
    ['fault AND', 'A keyword is missing before the end at position 9'],
    ['fault error', 'AND or OR is missing before "error" at position 6'],
    ['(fault', '")" is missing before the end at position 6'],
    ['fault)', 'AND or OR is missing before ")" at position 5'],
    ['nonsense = 1', 'The keyword "nonsense" is not known at position 0'],
    ['http.status', 'An operator is missing before the end at position 11'],
    ['http.status = "200"', 'http.status is compared with a number, not a string at position 14'],
    ['http.url > "a"', '> does not go with a string at position 9'],
    ['http.status CONTAINS 2', 'CONTAINS does not go with a number at position 12'],
    ['fault = 1', 'fault is compared with a boolean, not a number at position 8'],
    ['user = andrew', 'A value is missing before "andrew" at position 7'],
    ['user = "andrew', 'A string that does not end at position 7'],
    ['ok & fault', '"&" is not understood at position 3'],
    ['group.name > "x"', 'group.name takes = or != at position 11'],
    ['rootcause.fault.entity { }', 'rootcause.fault.entity is not supported here at position 0'],
    ['ok AND name = "x"', 'name is asked of a service: service() { name … } at position 7'],
    ['service("a") { service("b") }', 'service() cannot stand inside { } at position 15'],
    ['service(a)', 'The name of a service in quotes, or id(…), is missing at position 8'],
    ['service(id(arn: "a"))', 'id() has name, type and account.id, not "arn" at position 11'],
    ['edge("a")', '"," is missing before ")" at position 8'],
    ['annotation = 1', '"[" is missing before "=" at position 11'],
    [`${'('.repeat(60)}ok${')'.repeat(60)}`, 'Nested too deep at position 50'],
  ])('is refused with its place: %s', (expression, message) => {
    expect(() => parseFilter(expression)).toThrow(
      new FilterError(message.replace(/ at position \d+$/, ''), Number(/\d+$/.exec(message)?.[0])),
    );
  });

  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const selector = fc.oneof(
    fc.constant({}),
    fc.record({ name: text }),
    fc.record({ name: text, type: text, accountId: text }),
  ) as fc.Arbitrary<ServiceSelector>;

  function comparisons(inService: boolean): fc.Arbitrary<Filter> {
    const known = (names: readonly string[]) => names.filter((name) => inService || !ofAService.includes(name));
    const keyword = (kind: 'boolean' | 'number' | 'string', names: readonly string[]) =>
      fc.constantFrom(...known(names)).map((name) => ({ kind, name }));
    const annotation = text.map((key) => ({ kind: 'annotation', key }));
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    const operator = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
    const ofText = fc.constantFrom('=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH');
    const compare = fc.constant('compare' as const);
    return fc.oneof(
      fc.record({
        kind: compare,
        keyword: keyword('boolean', booleans),
        operator: fc.constantFrom('=', '!='),
        value: fc.boolean(),
      }),
      fc.record({ kind: compare, keyword: fc.oneof(keyword('number', numbers), annotation), operator, value: number }),
      fc.record({
        kind: compare,
        keyword: fc.oneof(keyword('string', strings), annotation),
        operator: ofText,
        value: text,
      }),
    ) as fc.Arbitrary<Filter>;
  }

  function combined(leaf: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> {
    return fc.letrec<{ filter: Filter; both: Filter; either: Filter; not: Filter }>((tie) => ({
      filter: fc.oneof({ maxDepth: 4 }, leaf, tie('both'), tie('either'), tie('not')),
      both: fc.record({
        kind: fc.constant('and' as const),
        parts: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      }),
      either: fc.record({
        kind: fc.constant('or' as const),
        parts: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
      }),
      not: fc.record({ kind: fc.constant('not' as const), part: tie('filter') }),
    })).filter;
  }

  const inner = fc.option(combined(comparisons(true)), { nil: undefined });
  const where = inner.map((filter) => (filter ? { where: filter } : {}));
  const filters = combined(
    fc.oneof(
      comparisons(false),
      fc.tuple(selector, where).map(([service, rest]) => ({ kind: 'service' as const, service, ...rest })),
      fc
        .tuple(selector, selector, where)
        .filter(([from, to]) => [from, to].every((each) => Object.keys(each).length > 0))
        .map(([from, to, rest]) => ({ kind: 'edge' as const, from, to, ...rest })),
    ),
  );

  it('is read back as what it was written from, whatever is in its strings', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const expression = written(filter);
        fc.pre(expression.length <= 2000);
        expect(parseFilter(expression)).toEqual(filter);
      }),
    );
  });

  it('holds exactly where its negation does not', () => {
    const traces = fc.constantFrom(plain, faulty, caught);
    fc.assert(
      fc.property(filters, traces, (filter, trace) => {
        expect(matches({ kind: 'not', part: filter }, trace)).toBe(!matches(filter, trace));
      }),
    );
  });

  it('is read, or refused with a place inside it, whatever it is', () => {
    const words = fc.constantFrom(
      'fault',
      'AND',
      'OR',
      '!',
      '(',
      ')',
      '{',
      '}',
      '=',
      '"a"',
      '1',
      'service',
      'edge',
      ',',
      'id',
      'user',
    );
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(noise, (expression) => {
        try {
          parseFilter(expression);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
          expect((error as FilterError).position).toBeLessThanOrEqual(expression.length);
        }
      }),
    );
  });
});

const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;

function selection({ name, type, accountId }: ServiceSelector): string {
  if (type === undefined) return name === undefined ? '' : quoted(name);
  return `id(name: ${quoted(name ?? '')}, type: ${quoted(type)}, account.id: ${quoted(accountId ?? '')})`;
}

function written(filter: Filter): string {
  const where = (part: { where?: Filter }) => (part.where ? ` { ${written(part.where)} }` : '');
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${filter.parts.map(written).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      // Two in a row would be read as none.
      return filter.part.kind === 'not' ? `!(${written(filter.part)})` : `!${written(filter.part)}`;
    case 'service':
      return `service(${selection(filter.service)})${where(filter)}`;
    case 'edge':
      return `edge(${selection(filter.from)}, ${selection(filter.to)})${where(filter)}`;
    case 'compare': {
      const { keyword, operator, value } = filter;
      const name = keyword.kind === 'annotation' ? `annotation[${quoted(keyword.key)}]` : keyword.name;
      return `${name} ${operator} ${typeof value === 'string' ? quoted(value) : value}`;
    }
  }
}
