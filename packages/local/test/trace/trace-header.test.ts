import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTraceHeader, parseTraceHeader, parseTraceparent } from '../../src/trace/trace-header.ts';
import { newRoot } from '../../src/trace/trace-id.ts';

const root = '1-5759e988-bd862e3fe1be46a994272793';
const parent = '53995c3f42cd8ad8';
const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((text) => !/^0*$/.test(text));

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('%', '%%%', ';', '=', ';;==', 'Root', 'Root=', 'Root=;', '00', '00-', '-', '\0', 'a'.repeat(65_536)),
  fc.constantFrom(';', '=', '0', '-', 'Root=1;', 'a=b;', ' ').map((piece) => piece.repeat(65_536 / piece.length)),
  fc.string({ maxLength: 40 }).map((text) => `Root=${root};Parent=${text}`),
  fc.string({ maxLength: 40 }).map((text) => `00-${text}-${parent}-01`),
);

describe('parseTraceHeader', () => {
  it('reads root, parent and decision', () => {
    expect(parseTraceHeader(`Root=${root};Parent=${parent};Sampled=1`)).toEqual({ root, parent, sampled: true });
    expect(parseTraceHeader(`Root=${root};Parent=${parent};Sampled=0`)).toEqual({ root, parent, sampled: false });
  });

  it('leaves the decision open for Sampled=? and where there is none', () => {
    expect(parseTraceHeader(`Root=${root};Sampled=?`)).toEqual({ root });
    expect(parseTraceHeader(`Root=${root}`)).toEqual({ root });
  });

  it('takes keys in any case and order, with spaces, and hex digits in upper case', () => {
    expect(parseTraceHeader(` sampled=1 ; PARENT=${parent.toUpperCase()}; root=${root.toUpperCase()} `)).toEqual({
      root,
      parent,
      sampled: true,
    });
  });

  it('takes the empty Parent and Sampled of a caller without a segment as absent', () => {
    expect(parseTraceHeader(`Root=${root};Parent=;Sampled=`)).toEqual({ root });
  });

  it('hands on Lineage and other fields, but not the Self of a load balancer', () => {
    const value = `Self=1-67891234-12456789abcdef012345678;Root=${root};Lineage=a87bd80c:1|68fd508a:5;CalledFrom=app`;
    expect(parseTraceHeader(value)).toEqual({ root, rest: 'Lineage=a87bd80c:1|68fd508a:5;CalledFrom=app' });
    expect(parseTraceHeader(`Root=${root};Lineage=1:a87bd80c:0`)).toEqual({ root, rest: 'Lineage=1:a87bd80c:0' });
  });

  it.each([
    ['no root', `Parent=${parent};Sampled=1`],
    ['a Self alone', 'Self=1-67891234-12456789abcdef0123456780'],
    ['a root of another version', 'Root=2-5759e988-bd862e3fe1be46a994272793'],
    ['a short root', 'Root=1-5759e988-bd862e3fe1be46a99427279'],
    ['an all-zero root', 'Root=1-00000000-000000000000000000000000'],
    ['an invalid parent', `Root=${root};Parent=xyz`],
    ['an all-zero parent', `Root=${root};Parent=0000000000000000`],
    ['an invalid decision', `Root=${root};Sampled=yes`],
    ['nothing', ''],
  ])('refuses %s', (_, value) => {
    expect(parseTraceHeader(value)).toBeUndefined();
  });

  it('reads back whatever was formatted', () => {
    fc.assert(
      fc.property(
        hex(8),
        hex(24),
        fc.option(hex(16), { nil: undefined }),
        fc.boolean(),
        (time, unique, id, sampled) => {
          const context = { root: `1-${time}-${unique}`, ...(id ? { parent: id } : {}), sampled };
          expect(parseTraceHeader(formatTraceHeader(context))).toEqual(context);
        },
      ),
    );
  });

  it('throws for no text, and what it takes can be sent on as a header', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const trace = parseTraceHeader(text);
        if (trace) expect(formatTraceHeader({ ...trace, sampled: true })).toMatch(/^Root=1-[0-9a-f-]{33}[\x20-\x7e]*$/);
      }),
      { numRuns: 500 },
    );
  });

  it('accepts the roots that begin here', () => {
    const fresh = newRoot();
    expect(parseTraceHeader(`Root=${fresh}`)).toEqual({ root: fresh });
  });
});

describe('parseTraceparent', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const expected = { root: '1-4bf92f35-77b34da6a3ce929d0e0e4736', parent: '00f067aa0ba902b7' };

  it('turns the trace id into a root and the parent id into the parent', () => {
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-01`)).toEqual({ ...expected, sampled: true });
  });

  it('reads the sampled flag alone of the flags', () => {
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-00`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-02`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-ff`)?.sampled).toBe(true);
  });

  it('reads a later version as far as this one goes', () => {
    expect(parseTraceparent(`cc-${traceId}-00f067aa0ba902b7-01`)).toEqual({ ...expected, sampled: true });
    expect(parseTraceparent(`cc-${traceId}-00f067aa0ba902b7-01-what-the-future`)).toEqual({
      ...expected,
      sampled: true,
    });
  });

  it.each([
    ['version ff', `ff-${traceId}-00f067aa0ba902b7-01`],
    ['an all-zero trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['an all-zero parent id', `00-${traceId}-0000000000000000-01`],
    ['upper case', `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`],
    ['more than version 00 has', `00-${traceId}-00f067aa0ba902b7-01-extra`],
    ['a later version that goes on without a dash', `cc-${traceId}-00f067aa0ba902b7-01extra`],
    ['two headers joined', `00-${traceId}-00f067aa0ba902b7-01, 00-${traceId}-00f067aa0ba902b7-01`],
    ['nothing', ''],
  ])('refuses %s', (_, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });

  it('throws for no text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        parseTraceparent(text);
      }),
      { numRuns: 500 },
    );
  });
});
