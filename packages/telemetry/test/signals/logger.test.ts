import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** The lines that a program writes to stdout. */
async function linesOf(fixture: string, environment: Record<string, string> = {}): Promise<string[]> {
  const file = path.join(import.meta.dirname, '../fixture', fixture);
  const { stdout } = await run(process.execPath, [file], {
    env: { PATH: process.env.PATH, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split(/[\r\n\u2028\u2029\u0085]/).filter(Boolean);
}

const names = [
  'a getter that throws',
  'a toJSON that throws',
  'a Proxy that throws',
  'a revoked Proxy',
  '5,000 levels',
  '50,000 levels',
  'a circle',
  'a BigInt',
  'an error that is its own cause',
  'a string of 6 MB',
  'a million items',
  'a Map whose iterator has no end',
  'sets and objects of a million',
  '__proto__ keys',
  'lone surrogates',
  'line ends and escapes',
  'an invalid date',
  'a Date of 10 MB',
  'a Date whose text throws',
  'bytes that say they are 10 MB',
  'a String of 10 MB',
  'an integer of a million digits',
  'a million long numbers',
  'a million functions',
  'a million dates',
  '20 texts of control characters',
  'no prototype',
  'reserved keys',
];

describe('logging a hostile value', () => {
  let lines: string[];

  beforeAll(async () => {
    lines = await linesOf('hostile.ts');
  });

  it('writes one line for each call, however a reader ends lines', () => {
    expect(lines).toHaveLength(names.length * 5);
  });

  it.each(names)('writes valid JSON of a bounded size for %s, with its message and level as they were', (name) => {
    const own = lines.filter((line) => (JSON.parse(line) as { message: unknown }).message === name);

    expect(own).toHaveLength(2);
    for (const line of own) {
      expect(JSON.parse(line)).toMatchObject({ level: 'INFO', service: 'service_undefined' });
      expect(Buffer.byteLength(line)).toBeLessThan(256 * 1024);
      expect(line.isWellFormed()).toBe(true);
    }
  });

  it.each(names)('does so for a child, and for what all its lines carry: %s', (name) => {
    const own = lines.filter((line) => (JSON.parse(line) as { message: unknown }).message === `child: ${name}`);

    expect(own).toHaveLength(2);
    for (const line of own) {
      expect(JSON.parse(line)).toMatchObject({ level: 'INFO', service: 'service_undefined' });
      expect(Buffer.byteLength(line)).toBeLessThan(256 * 1024);
      expect(line.isWellFormed()).toBe(true);
    }
  });

  it('says how much is not shown', () => {
    const line = lines.find((text) => text.includes('"sets and objects of a million"'));

    expect(line).toContain('[999900 more]');
    expect(line).toContain('999900 more"}');
  });

  it('changes no prototype', () => {
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(lines.some((line) => 'polluted' in (JSON.parse(line) as object))).toBe(false);
  });

  it('keeps a value under a reserved name, beside what the name is reserved for', () => {
    const line = lines
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ message }) => message === 'reserved keys');

    expect(line).toMatchObject({ level: 'INFO', level_: 'x', message_: 'y', service_: 'z', timestamp_: 't' });
  });

  it('lets nobody who chooses what is logged write a metric', () => {
    expect(lines.filter((line) => '_aws' in (JSON.parse(line) as object))).toEqual([]);
  });

  it('carries the id of the trace', async () => {
    const root = '1-5759e988-bd862e3fe1be46a994272793';
    const own = await linesOf('hostile.ts', { _X_AMZN_TRACE_ID: `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1` });

    for (const line of [own[0], own.at(-1)]) {
      expect(JSON.parse(line ?? '')).toMatchObject({
        xray_trace_id: root,
        trace_id: '5759e988bd862e3fe1be46a994272793',
      });
    }
  });
});
