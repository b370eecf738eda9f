import fc from 'fast-check';
import { expect, it } from 'vitest';
import { groupUuidOf, uuidFromName } from '../../../src/messages/message.ts';

it("reproduces RFC 9562's example of a version 5 uuid", () => {
  // Appendix A.4: the DNS namespace and www.example.com.
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
  expect(uuidFromName(dns, 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
});

it('gives a pair of users one group in either order, and other pairs another', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), fc.uuid(), (one, other, third) => {
      fc.pre(third !== other);
      expect(groupUuidOf(one, other)).toBe(groupUuidOf(other, one));
      expect(groupUuidOf(one, other)).not.toBe(groupUuidOf(one, third));
    }),
  );
});
