import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OutputRecord, readFrames, splitLines } from '../../src/lambda/sandbox/output.ts';

/** Cuts bytes at the given places, each taken modulo the length. */
function chunksOf(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

function read(reader: typeof splitLines, chunks: Buffer[]): OutputRecord[] {
  const records: OutputRecord[] = [];
  const take = reader((record) => records.push(record));
  for (const chunk of chunks) take(chunk);
  take(undefined);
  return records;
}

describe('lines', () => {
  it('are the same whatever the chunks that they come in', () => {
    const line = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/[\r\n\uD800-\uDFFF\uFEFF]/.test(text));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        expect(read(splitLines, chunksOf(bytes, cuts)).map((record) => record.message)).toEqual(lines);
      }),
    );
  });

  it('end at a line end, at the end of the stream, and not at a carriage return', () => {
    const records = read(splitLines, [Buffer.from('windows\r\n\na\rb\nlast')]);
    expect(records.map((record) => record.message)).toEqual(['windows', 'a\nb', 'last']);
  });

  it('over 256 KB are cut as CloudWatch cuts them, and the next one is whole', () => {
    const records = read(splitLines, [Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'a'), Buffer.from('\nnext\n')]);
    expect(records.map(({ message, cut }) => [message.length, cut])).toEqual([
      [262_118, true],
      [4, false],
    ]);
  });

  it.each([
    ['2026-11-22T10:00:00.000Z\tid\tWARN\tmessage', 'WARN'],
    ['{"level":"error","message":"x"}', 'ERROR'],
    ['{"message":"level"}', undefined],
    ['an ERROR in a sentence', undefined],
  ])('have a level where they state one: %s', (line, level) => {
    expect(read(splitLines, [Buffer.from(line)])[0]?.level).toBe(level);
  });
});

describe('frames', () => {
  const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
  function frame(level: number, microseconds: bigint, message: string): Buffer {
    const bytes = Buffer.from(message);
    const header = Buffer.alloc(16);
    header.writeUInt32BE((0xa55a0003 | ((level + 1) << 2)) >>> 0, 0);
    header.writeUInt32BE(bytes.length, 4);
    header.writeBigInt64BE(microseconds, 8);
    return Buffer.concat([header, bytes]);
  }

  it('give back each message whole, with its time and level, whatever the chunks', () => {
    const message = fc
      .string({ unit: 'binary' })
      .filter((text) => !/[\uD800-\uDFFF\uFEFF]/.test(text) && !text.endsWith('\n'));
    const entry = fc.record({ level: fc.nat({ max: 5 }), time: fc.nat({ max: 2 ** 42 }), message });
    fc.assert(
      fc.property(fc.array(entry), fc.array(fc.nat()), (entries, cuts) => {
        const bytes = Buffer.concat(
          entries.map((one) => frame(one.level, BigInt(one.time) * 1000n, `${one.message}\n`)),
        );
        const lost: number[] = [];
        const records = read((emit) => readFrames(emit, (count) => lost.push(count)), chunksOf(bytes, cuts));
        expect(records).toEqual(
          entries.map((one) => ({
            message: one.message,
            timeMilliseconds: one.time,
            level: LEVELS[one.level],
            cut: false,
          })),
        );
        expect(lost).toEqual([]);
      }),
    );
  });

  it('that are invalid are counted, and nothing is made up from them', () => {
    const lost: number[] = [];
    const reader = (emit: (record: OutputRecord) => void) => readFrames(emit, (count) => lost.push(count));
    expect(read(reader, [frame(2, 0n, 'good'), Buffer.from('someone writes text to the descriptor\n')])).toHaveLength(
      1,
    );
    expect(lost).toEqual([38]);
  });
});
