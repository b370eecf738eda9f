/**
 * Shorter texts are words that stand in any log line: taking them out would hide the log, not the
 * secret.
 */
export const shortestSecret = 6;

/** Nobody writes a longer URL within a URL. */
const longestUrl = 2_048;

type Encode = (value: string) => string;

const inJson: Encode = (value) => JSON.stringify(value).slice(1, -1);
// A lone surrogate cannot be written in a URL.
const inUrl: Encode = (value) => encodeURIComponent(value.toWellFormed());
const inForm: Encode = (value) =>
  inUrl(value).replace(/%20|[!'()~]/g, (sign) =>
    sign === '%20' ? '+' : `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
const inUrlTwice: Encode = (value) => {
  const once = inUrl(value);
  return once.length > longestUrl ? '' : encodeURIComponent(once);
};

/**
 * The ways to write a secret: as it is, in JSON, in JSON within JSON, as `util.inspect` prints it
 * (which leaves quotation marks as they are), in a URL, in a form, in a URL within a URL. The
 * encoding of a text's beginning is the beginning of its encoding.
 */
export const encodings: readonly Encode[] = [
  (value) => value,
  inJson,
  (value) => inJson(inJson(value)),
  (value) => inJson(value).replaceAll('\\"', '"'),
  inUrl,
  inForm,
  inUrlTwice,
];

/**
 * @returns every encoding of these values that is long enough to be looked for, the longest first.
 */
export function encodingsOf(values: Iterable<string>): string[] {
  const all = [...values].flatMap((value) => encodings.map((encode) => encode(value)));
  return [...new Set(all)].filter((text) => text.length >= shortestSecret).sort((a, b) => b.length - a.length);
}
