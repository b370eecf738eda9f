import { config } from '../config.ts';

/** Replaces every secret. */
export const redacted = '[redacted]';

/**
 * Keys whose values are never shown, compared without case, `_` and `-`. A service adds its own.
 */
const secretKeys =
  /authorization|cookie|token|secret|password|passwd|credential|apikey|accesskey|privatekey|session(id|key)?$|jwt|signature|^email|email$|^cursor$|^ssn$|cardnumber|cvv/;

/**
 * A secret's key up to its value, in a text that holds JSON or an object as `util.inspect` prints
 * it.
 */
const namedSecret =
  '(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|credential|signature|session[-_]?(?:id|key))' +
  String.raw`[\w-]{0,20}\\{0,15}["']?\s{0,4}[:=]\s{0,4}`;

/**
 * Secrets known by their form. Linear in the length of the text: no pattern here can be made to
 * backtrack.
 */
export const secretPatterns: readonly [RegExp, string][] = [
  // A URL's user and password, as in a connection string. Before e-mails: from its middle on it
  // looks like one.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@"'<>]{1,300}@/gi, `$1${redacted}@`],
  // JSON Web Tokens, unsigned ones too; AWS access key IDs; keys with a known prefix: GitHub's,
  // GitLab's, Stripe's, Slack's, Google's, npm's, Honeycomb's.
  [
    /\b(?:eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.?[A-Za-z0-9_-]*|(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?:gh[oprsu]_|github_pat_|glpat-|[rs]k_(?:live|test)_|xox[a-z]-|AIza|npm_|hc[a-z]i[ck]_)[\w-]{16,})/g,
    redacted,
  ],
  // Lower-case letters alone are a word: "bearer token missing", "basic validation failed".
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC|[Nn]egotiate|NEGOTIATE)\s+(?![a-z]+(?![A-Za-z0-9._~+/=-]))[A-Za-z0-9._~+/=-]{4,}/g,
    `$1 ${redacted}`,
  ],
  // Only from the beginning of a word: trying each letter of a long one is quadratic.
  [/(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, redacted],
  // The parts of presigned URLs that grant access.
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%(?:25)?3D))[^&\s"']+/gi, `$1${redacted}`],
  // Secrets in query strings and in `key=value` text.
  [
    /\b((?:access_|refresh_|id_)?token|api_?key|apikey|secret|password|passwd|signature|sig|(?<=[?&#])code|session)=[^&\s"';]+/gi,
    `$1=${redacted}`,
  ],
  // To the end of the text, where it was cut off within the key.
  [/(-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?(?=-----END|$)/g, `$1${redacted}`],
];

/** Patterns that contain a quotation mark, apart: most texts have none and skip these. */
export const quotedPatterns: readonly [RegExp, string][] = [
  // `"password":"…"` in JSON, the same in JSON within JSON, and `password: '…'` from
  // `util.inspect`.
  [new RegExp(String.raw`(${namedSecret}")(?:\\[\s\S]|[^"\\])+`, 'gi'), `$1${redacted}`],
  [new RegExp(String.raw`(${namedSecret}(\\{1,15})")(?:[^"\\]|\2\\+"|\\+[^"\\])+`, 'gi'), `$1${redacted}`],
  [new RegExp(String.raw`(${namedSecret}')(?:\\[\s\S]|[^'\\])+`, 'gi'), `$1${redacted}`],
  // V8 quotes about 20 characters of what it could not parse, each perhaps written as several.
  [/(?<=Unexpected[^"]{0,40}), \.{0,3}"[\s\S]{0,300}(?= is not valid JSON)/g, `, "${redacted}"`],
];

/** @returns whether the value under this key must not be shown. */
export function isSecretKey(key: string): boolean {
  const name = normalized(key);
  return secretKeys.test(name) || config.ofService().secretFields.some((field) => names(field, name));
}

function names(field: string | RegExp, name: string): boolean {
  return typeof field === 'string' ? normalized(field) === name : field.test(name);
}

function normalized(key: string): string {
  return key.toLowerCase().replace(/[-_\s.]/g, '');
}
