import { gunzipSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressAnswer } from '../../../src/gateway/rest-api/compression.ts';

const answer = (body: Uint8Array) => ({ status: 200, headers: [] as [string, string][], body: Buffer.from(body) });
const coding = fc.record({
  name: fc.constantFrom('gzip', 'deflate', 'br', 'identity', '*'),
  quality: fc.constantFrom('0', '0.5', '1'),
});

describe('the compression of an answer', () => {
  it('changes nothing that the client reads, and uses no coding that the client refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(coding, { maxLength: 4 }), (body, codings) => {
        const accept = codings.map(({ name, quality }) => `${name};q=${quality}`).join(', ');
        const written = compressAnswer(answer(body), 0, accept);
        const [, used] = written.headers.find(([name]) => name === 'Content-Encoding') ?? [];
        const plain =
          used === 'gzip' ? gunzipSync(written.body) : used === 'deflate' ? inflateSync(written.body) : written.body;
        expect([...plain]).toEqual([...body]);
        if (used)
          expect(codings.some(({ name, quality }) => (name === used || name === '*') && quality !== '0')).toBe(true);
      }),
    );
  });

  it.each([undefined, '', 'br', 'gzip;q=0', 'identity, gzip;q=0.5', 'nonsense;;q='])(
    'leaves the answer alone for Accept-Encoding: %s',
    (accept) => {
      const given = answer(Buffer.from('text'));
      expect(compressAnswer(given, 0, accept)).toBe(given);
    },
  );
});
