/**
 * Writes what the console and `sls trace --json` give out. A BigInt (nanoseconds, 64-bit
 * attributes) becomes a number where it is exact and its digits otherwise. Controls and
 * bidirectional overrides, which JSON allows as they are, are escaped: the text may be looked at in
 * a terminal.
 */
export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? exact(member) : member), indent);
  return text.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
