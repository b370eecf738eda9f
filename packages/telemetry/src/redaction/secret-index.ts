import { encodings, shortestSecret } from './encodings.ts';

/**
 * A long secret is recognized by its beginning, since a text that quotes it may be cut off before
 * its end.
 */
const headLength = 32;
const longestWhole = headLength * 2;
/**
 * Of a longer secret no more is compared: a text that quotes so much of it loses all that follows,
 * too.
 */
export const longestCompared = 4_096;
/**
 * Of about 30 ns each, for one request; past it, the rest of a text that may hold a secret is taken
 * out unread.
 */
export const mostStepsOfRequest = 30_000;
/**
 * Needles are found by a hash of their first characters: of so many where they have them, which few
 * secrets share.
 */
const hashedLength = 16;

/** One way to write one secret. */
interface Needle {
  readonly head: string;
  /** Absent: the head is all of it. */
  readonly tail?: {
    readonly value: string;
    readonly encode: (value: string) => string;
    readonly isCut: boolean;
    whole?: string;
  };
  /** In the text that was searched in this round, where the last occurrence ended. */
  free: number;
  round: number;
}

/** A part that an index takes out of a text: from `start` up to `end`. */
export type Range = [start: number, end: number];

/**
 * Finds secrets in texts, however they are encoded. Reads a text once, whatever the number of
 * secrets, and encodes a long secret only when its beginning has been found: a caller may send 300
 * texts of 16 KB and the function may quote any of them.
 */
export class SecretIndex {
  readonly #short = new HashTable(shortestSecret);
  readonly #long = new HashTable(hashedLength);
  readonly #mostSteps: number;
  #steps = 0;
  #size = 0;
  #round = 0;

  /**
   * @param isOpen says of a short secret's encoding that it is not one after all.
   * @param limit of `steps`, for an index that serves one request.
   */
  constructor(values: Iterable<string>, isOpen: (text: string) => boolean = () => false, limit = Infinity) {
    this.#mostSteps = limit;
    for (const value of values) this.#add(value, isOpen);
  }

  /** How many texts are looked for. */
  get size(): number {
    return this.#size;
  }

  /** The work that has been done so far, whatever machine it runs on. */
  get steps(): number {
    return this.#steps;
  }

  /** @returns where secrets stand in `text`, by their start; `open` is not one of them. */
  find(text: string, open?: string): Range[] {
    const found: Range[] = [];
    if (this.#size === 0) return found;
    this.#round += 1;
    for (let at = 0; at + shortestSecret <= text.length; at += 1) {
      const long = this.#long.at(text, at);
      const short = this.#short.at(text, at);
      if (!long && !short) continue;
      const end = this.#longestAt(text, at, long && short ? [...long, ...short] : (long ?? short ?? []), open);
      if (end > at) found.push([at, end]);
      if (end >= text.length) break;
    }
    return found;
  }

  #longestAt(text: string, at: number, needles: readonly Needle[], open: string | undefined): number {
    let longest = at;
    for (const needle of needles) {
      this.#steps += 1;
      if (this.#steps > this.#mostSteps || longest === text.length) return text.length;
      if (needle.round === this.#round && at < needle.free) continue;
      if (!text.startsWith(needle.head, at) || (!needle.tail && needle.head === open)) continue;
      needle.round = this.#round;
      needle.free = this.#endOf(needle, text, at + needle.head.length);
      longest = Math.max(longest, needle.free);
    }
    return longest;
  }

  /** @returns where an occurrence ends whose head ends at `from`. */
  #endOf({ head, tail }: Needle, text: string, from: number): number {
    if (!tail) return from;
    if (tail.whole === undefined) {
      tail.whole = tail.encode(tail.value);
      this.#steps += tail.whole.length >> 4;
    }
    let length = 0;
    const { whole } = tail;
    while (head.length + length < whole.length && text[from + length] === whole[head.length + length]) length += 1;
    this.#steps += length >> 5;
    const isWhole = head.length + length === whole.length;
    return isWhole && tail.isCut ? text.length : from + length;
  }

  #add(given: string, isOpen: (text: string) => boolean): void {
    const value = given.slice(0, longestCompared);
    const isCut = given.length > longestCompared;
    const isLong = value.length > longestWhole;
    const beginning = isLong ? wholeCharacters(value, longestWhole) : value;
    const seen = new Set<string>();
    for (const encode of encodings) {
      const text = encode(beginning);
      if (text.length < shortestSecret) continue;
      // Two encodings of a long secret may begin alike and go on differently.
      if (!isLong && (seen.has(text) || isOpen(text))) continue;
      seen.add(text);
      if (isLong || text.length > longestWhole) {
        this.#insert({ head: text.slice(0, headLength), tail: { value, encode, isCut }, free: 0, round: 0 });
      } else this.#insert({ head: text, free: 0, round: 0 });
    }
  }

  #insert(needle: Needle): void {
    (needle.head.length >= hashedLength ? this.#long : this.#short).add(needle);
    this.#size += 1;
  }
}

/** Needles by a hash of their first characters. */
class HashTable {
  readonly #length: number;
  readonly #needles = new Map<number, Needle[]>();
  /** One byte for each low half of a hash: most places of a text are passed over by it alone. */
  readonly #filter = new Uint8Array(65_536);
  /** Factor of the character that leaves the window. */
  readonly #leaving: number;
  #text = '';
  #at = -1;
  #hash = 0;

  constructor(length: number) {
    this.#length = length;
    let factor = 1;
    for (let index = 1; index < length; index += 1) factor = Math.imul(factor, 31);
    this.#leaving = factor;
  }

  add(needle: Needle): void {
    const hash = this.#hashOf(needle.head, 0);
    const others = this.#needles.get(hash);
    if (others) others.push(needle);
    else this.#needles.set(hash, [needle]);
    this.#filter[mixed(hash)] = 1;
  }

  /**
   * @returns the needles that may begin at this place. Called for each place of a text in turn, the
   * hash is rolled on.
   */
  at(text: string, at: number): readonly Needle[] | undefined {
    if (this.#needles.size === 0 || at + this.#length > text.length) return undefined;
    if (text === this.#text && at === this.#at + 1) {
      const without = this.#hash - Math.imul(text.charCodeAt(at - 1), this.#leaving);
      this.#hash = (Math.imul(without, 31) + text.charCodeAt(at + this.#length - 1)) | 0;
    } else {
      this.#text = text;
      this.#hash = this.#hashOf(text, at);
    }
    this.#at = at;
    return this.#filter[mixed(this.#hash)] === 0 ? undefined : this.#needles.get(this.#hash);
  }

  #hashOf(text: string, at: number): number {
    let hash = 0;
    for (let index = at; index < at + this.#length; index += 1)
      hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
    return hash;
  }
}

function mixed(hash: number): number {
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** @returns the first `length` characters, without half of a surrogate pair at the end. */
function wholeCharacters(value: string, length: number): string {
  const code = value.charCodeAt(length - 1);
  return value.slice(0, code >= 0xd800 && code <= 0xdbff ? length - 1 : length);
}
