import { createHash } from 'node:crypto';

/** One exception of an item: `body.trace`, or an element of `body.trace_chain`. */
export interface Trace {
  frames: { filename: string; method: string }[];
  className: string;
  message: string;
}

/**
 * A sender's own fingerprint is used as it is up to so many characters, and hashed when it is
 * longer.
 */
const ownLength = 40;
const root = '(root)';
const date = /\d{4}[-_]?\d{2}[-_]?\d{2}(?:[T_-]?\d{2}[:_-]?\d{2}(?:[:_-]?\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?/g;
const sha = /\b[0-9a-f]{40}\b/gi;

/** @returns the sender's own fingerprint as Rollbar keeps it. */
export function ownFingerprint(fingerprint: string): string {
  return fingerprint.length <= ownLength ? fingerprint : sha1(fingerprint);
}

/**
 * @returns SHA-1 of the file and method names of all frames and the exception class. No line
 *   numbers, which move with unrelated code, and no message, which quotes input. What differs from
 *   one deployment to the next is taken out: the root of the server's code, dates and hashes in
 *   file names, numbers of two digits and more in method names. Source: Rollbar's "Default Grouping
 *   Algorithm", exception fingerprinting.
 */
export function exceptionFingerprint(traces: Trace[], serverRoot: string | undefined): string {
  const parts: string[] = [];
  for (const { frames, className } of traces) {
    for (const { filename, method } of frames) {
      const fromRoot =
        serverRoot && filename.startsWith(serverRoot) ? root + filename.slice(serverRoot.length) : filename;
      parts.push(fromRoot.replace(sha, '').replace(date, ''), method.replace(/\d{2,}/g, ''));
    }
    parts.push(className);
  }
  return sha1(parts.join('\n'));
}

/**
 * In this order: a date is made of integers, an address of decimals. Each looks at a character a
 * bounded number of times: the message is anybody's.
 */
const dataInMessages = [
  date,
  /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/g,
  /(?<!\d)\d+\.\d+/g,
  /\b(?=[a-f]*\d)[0-9a-f]{4,}\b/gi,
  /\d{2,}/g,
];

/**
 * @returns SHA-1 of the message without what looks like data: dates, e-mail and IP addresses,
 *   decimals, integers of two digits and more, hexadecimals of four and more (those with a digit:
 *   `decade` is a word). Source: Rollbar's "Default Grouping Algorithm", message fingerprinting.
 */
export function messageFingerprint(message: string): string {
  return sha1(dataInMessages.reduce((text, pattern) => text.replace(pattern, ''), message));
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
