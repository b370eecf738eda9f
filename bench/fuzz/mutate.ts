import type { Random } from './random.ts';

/**
 * Values that broke something somewhere: numbers out of range, text that is not well-formed, names
 * of prototypes.
 */
const hostile = [
  null,
  true,
  -1,
  0,
  1e308,
  -1e18,
  2 ** 53 + 1,
  '',
  '\ud800',
  'a\u0000b',
  '\u202e',
  '__proto__',
  '<script>alert(1)</script>',
  '9'.repeat(400),
  'x'.repeat(70_000),
  [],
  {},
  [[[[[[[[]]]]]]]],
  { constructor: { prototype: 1 } },
] as const satisfies readonly unknown[];

/** @returns a copy of `value` in which one place has been replaced, removed, repeated or nested. */
export function mutateValue(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.next() < 0.8) {
    const place = random.below(value.length);
    return value.map((item, index) => (index === place ? mutateValue(item, random) : item));
  }
  if (typeof value === 'object' && value !== null && random.next() < 0.8) {
    const entries = Object.entries(value);
    const chosen = entries[random.below(entries.length)];
    if (!chosen) return hostileValue(random);
    const [key, member] = chosen;
    const rest = Object.fromEntries(entries.filter(([name]) => name !== key));
    const fate = random.next();
    if (fate < 0.15) return rest;
    if (fate < 0.3) return { ...rest, [String(hostileValue(random))]: member };
    return { ...rest, [key]: mutateValue(member, random) };
  }
  return random.next() < 0.1 ? nested(random.below(3000)) : hostileValue(random);
}

/** @returns a copy of `bytes` with some changed, cut off, repeated or put in. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const fate = random.next();
  if (fate < 0.2) return bytes.subarray(0, random.below(bytes.length));
  if (fate < 0.3) return Buffer.concat([bytes, bytes.subarray(random.below(bytes.length))]);
  const changed = Buffer.from(bytes);
  for (let left = 1 + random.below(8); left > 0; left--) changed[random.below(changed.length)] = random.below(256);
  return changed;
}

function hostileValue(random: Random): unknown {
  return hostile[random.below(hostile.length)];
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
}
