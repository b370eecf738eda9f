import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodings, shortestSecret } from '../../src/redaction/encodings.ts';
import { jsonTokens } from '../../src/redaction/json-tokens.ts';
import { requestSecrets } from '../../src/redaction/request-secrets.ts';
import { longestCompared, mostStepsOfRequest, SecretIndex } from '../../src/redaction/secret-index.ts';

const secret = fc.string({ minLength: shortestSecret, maxLength: 200, unit: fc.constantFrom(...'abc 01"\\%+\'é😀\n') });
const around = fc.string({ maxLength: 40 });

describe('an index of secrets', () => {
  it('finds each of them, in each encoding, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.constantFrom(...encodings),
        around,
        around,
        (secrets, which, encode, before, after) => {
          const written = encode(secrets[which % secrets.length] ?? '');
          fc.pre(written.length >= shortestSecret);
          const text = `${before}${written}${after}`;
          const covered = new Set<number>();
          for (const [start, end] of new SecretIndex(secrets).find(text))
            for (let at = start; at < end; at += 1) covered.add(at);
          // The text before it may make an earlier match, which then covers it.
          for (let at = before.length; at < before.length + written.length; at += 1) expect(covered.has(at)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds nothing in a text that holds none of them', () => {
    expect(new SecretIndex(['sesame', 'open sesame']).find('a text of sesam, and of nothing else')).toEqual([]);
  });

  it('finds a long one that was cut off', () => {
    const long = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');

    expect(new SecretIndex([long]).find(`it said ${long.slice(0, 500)}`)).toEqual([[8, 508]]);
  });

  it('takes the rest of a text that quotes more of one than is compared', () => {
    const long = 'a long story '.repeat(1_000);
    const text = `${long.slice(0, longestCompared)} and more`;

    expect(new SecretIndex([long]).find(text)).toEqual([[0, text.length]]);
  });

  const quotes = (index: number): string => `${'"'.repeat(16_000)}${index}`;
  const alike = (index: number): string => `${'a'.repeat(100)}${index}`;
  it.each([
    ['of quotes', quotes],
    ['that begin alike', alike],
  ])('does a bounded amount of work for 300 texts %s, and then takes too much rather than too little', (_, make) => {
    const index = new SecretIndex(
      Array.from({ length: 300 }, (_, at) => make(at)),
      undefined,
      mostStepsOfRequest,
    );
    const text = Array.from({ length: 300 }, (_, at) => `${make(299 - at).slice(0, 110)}.`).join(' ');
    for (let round = 0; round < 20; round += 1) index.find(text);

    expect(index.steps).toBeLessThan(mostStepsOfRequest * 2);
    expect(index.find(text).at(-1)?.[1]).toBe(text.length);
  });
});

describe('the secrets of a body', () => {
  it.each([
    ['a million numbers', JSON.stringify(Array.from({ length: 1_000_000 }, (_, index) => index))],
    ['400,000 keys', `{${Array.from({ length: 400_000 }, (_, index) => `"k${index}":"value ${index}"`).join()}}`],
    ['300 texts of quotes', JSON.stringify(Array.from({ length: 300 }, () => '"'.repeat(16_000)))],
  ])('are at most some hundred short texts for %s', (_, body) => {
    const secrets = requestSecrets({ body });

    expect(secrets.length).toBeLessThan(400);
    for (const text of secrets) expect(text.length).toBeLessThanOrEqual(longestCompared + 1);
  });

  it('are the same whether it is parsed or read piece by piece', () => {
    const json = fc.json({ maxDepth: 4 });
    const whole = (value: unknown): string[] => {
      if (typeof value === 'string') return [value];
      return typeof value === 'object' && value !== null ? Object.values(value).flatMap(whole) : [];
    };
    fc.assert(
      fc.property(json, (body) => {
        const read = [...jsonTokens(body, 10_000)].filter(({ isName }) => !isName).map(({ value }) => value);
        const texts = whole(JSON.parse(body));
        // A name that comes twice is read twice, and parsed once.
        for (const text of texts) expect(read).toContain(text);
      }),
    );
  });

  it('include a text at the end of a long body', () => {
    const body = JSON.stringify({
      filler: Array.from({ length: 200 }, () => 'x'.repeat(1_000)),
      note: 'the "last" words',
    });

    expect(requestSecrets({ body })).toContain('the "last" words');
  });
});
