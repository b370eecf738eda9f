import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedBuffer } from '../../../src/store/write/bounded-buffer.ts';

describe('a bounded buffer', () => {
  it('gives back what was pushed in order, and of what was too much the newest, with the rest counted', () => {
    const steps = fc.array(fc.oneof(fc.record({ push: fc.nat(3000) }), fc.record({ take: fc.nat(50) })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), steps, (most, list) => {
        const buffer = new BoundedBuffer<number>(most);
        let expected: number[] = [];
        let pushed = 0;
        let dropped = 0;
        for (const step of list) {
          if ('push' in step) {
            for (let count = 0; count < step.push; count++) {
              buffer.push(pushed);
              expected.push(pushed++);
            }
            dropped += Math.max(0, expected.length - most);
            expected = expected.slice(-most);
          } else {
            expect(buffer.take(step.take)).toEqual(expected.splice(0, step.take));
          }
          expect([buffer.length, buffer.dropped]).toEqual([expected.length, dropped]);
        }
      }),
    );
  });
});
