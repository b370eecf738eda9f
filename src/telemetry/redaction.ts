import { config } from '../config.ts';
import { formsOf } from './forms.ts';
import { requestAround } from './request.ts';

/** Stands where something was taken out. */
export const redacted = '[redacted]';

/** Keys whose values leave in no form, whoever names them: compared without case, `_` and `-`. */
const secretKeys =
  /authorization|cookie|token|secret|password|passwd|credential|apikey|accesskey|privatekey|session(id|key)?$|jwt|signature|^email|email$|^message_?(text|body)?$|^term$|^cursor$|^bio$|^ssn$|cardnumber|cvv/;

/** What a key is called, in a text that holds JSON or what Node shows of an object, up to the value. */
const namedSecret =
  '(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|credential|signature|session[-_]?(?:id|key))' +
  String.raw`[\w-]{0,20}\\{0,15}["']?\s{0,4}[:=]\s{0,4}`;

/** Secrets that are known by their looks. Linear in the length of the text: no pattern here can be made to backtrack. */
const secretPatterns: readonly [RegExp, string][] = [
  // Who logs in at a URL, as a database's connection string has it. Before e-mails, which it looks like from its middle on.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@"'<>]{1,300}@/gi, `$1${redacted}@`],
  // JSON Web Tokens, also unsigned ones; AWS access key ids; keys that say whose they are: GitHub's, GitLab's, Stripe's, Slack's, Google's,
  // npm's, Honeycomb's.
  [
    /\b(?:eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.?[A-Za-z0-9_-]*|(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?:gh[oprsu]_|github_pat_|glpat-|[rs]k_(?:live|test)_|xox[a-z]-|AIza|npm_|hc[a-z]i[ck]_)[\w-]{16,})/g,
    redacted,
  ],
  // Of lower-case letters alone it is a word: "bearer token missing", "basic validation failed".
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC|[Nn]egotiate|NEGOTIATE)\s+(?![a-z]+(?![A-Za-z0-9._~+/=-]))[A-Za-z0-9._~+/=-]{4,}/g,
    `$1 ${redacted}`,
  ],
  // From the beginning of a word: from each letter of a long one it would be looked for in vain.
  [/(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, redacted],
  // The parts of presigned URLs that let their holder in.
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%(?:25)?3D))[^&\s"']+/gi, `$1${redacted}`],
  // Secrets in query strings and in `key=value` text.
  [
    /\b((?:access_|refresh_|id_)?token|api_?key|apikey|secret|password|passwd|signature|sig|(?<=[?&#])code|session)=[^&\s"';]+/gi,
    `$1=${redacted}`,
  ],
  // What callers write, as the table's keys hold it (src/table/keys.ts): folded, and so in none of the forms that are looked for.
  [/\b(WORD#)[^#"\s]+/g, `$1${redacted}`],
  // To the end of the text where that was cut off within the key.
  [/(-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?(?=-----END|$)/g, `$1${redacted}`],
];

/** Those that hold a quotation mark: most texts have none, and this is at the request's expense. */
const quotedPatterns: readonly [RegExp, string][] = [
  // `"password":"…"` of JSON, the same of JSON within JSON, and `password: '…'` as Node shows an object.
  [new RegExp(String.raw`(${namedSecret}")(?:\\[\s\S]|[^"\\])+`, 'gi'), `$1${redacted}`],
  [new RegExp(String.raw`(${namedSecret}(\\{1,15})")(?:[^"\\]|\2\\+"|\\+[^"\\])+`, 'gi'), `$1${redacted}`],
  [new RegExp(String.raw`(${namedSecret}')(?:\\[\s\S]|[^'\\])+`, 'gi'), `$1${redacted}`],
  // V8 quotes what it could not parse, or the place of it: some 20 characters, of which each may be written as several.
  [/(?<=Unexpected[^"]{0,40}), \.{0,3}"[\s\S]{0,300}(?= is not valid JSON)/g, `, "${redacted}"`],
];

/** @returns whether the value under this key may be shown to nobody. */
export function isSecretKey(key: string): boolean {
  return secretKeys.test(key.toLowerCase().replace(/[-_\s.]/g, ''));
}

/** What is longer is cut: nothing that is written is longer in the end, and searching it would be at the request's expense. */
const longestText = 32_768;
/** A long secret is recognised by its beginning, since a text that quotes it may be cut off before its end. */
const headLength = 32;

/** Shorter ones are words: a laptop has `local` for a key. */
const shortestOwn = 8;
let known: readonly string[] | undefined;

/**
 * What the function itself holds in its variables, and what a back end quotes that refuses it: AWS shows the session's token, outside any
 * `key=value`, when a signature is wrong. A name or an address is none, whatever its variable is called.
 */
function ownSecrets(): readonly string[] {
  known ??= formsOf([
    ...config.valuesOf(isSecretKey).filter((value) => value.length >= shortestOwn && !/^(?:arn:|https?:)/.test(value)),
    ...config
      .valuesOf((name) => /^OTEL_EXPORTER_OTLP_.*HEADERS$/.test(name))
      .flatMap((pairs) => pairs.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1).trim()))
      .filter((value) => value.length >= shortestOwn),
  ]);
  return known;
}

/** @returns `text` without what is secret by its looks, the function's own, or sent by this request's caller in confidence; 32 KB at most. */
export function redactText(text: string): string {
  let result = text.length > longestText ? text.slice(0, longestText) : text;
  result = without(result, [ownSecrets(), requestAround()?.secrets() ?? []]);
  for (const [pattern, replacement] of secretPatterns) result = result.replace(pattern, replacement);
  if (!/["']/.test(result)) return result;
  for (const [pattern, replacement] of quotedPatterns) result = result.replace(pattern, replacement);
  return result;
}

/**
 * Every form of every secret is looked for in the text as it was, and what any of them covers is taken out: a longer form often begins like
 * the one that is quoted, and would otherwise take out its beginning and leave an end that nothing recognises.
 */
function without(text: string, lists: readonly (readonly string[])[]): string {
  const covered = lists
    .flatMap((secrets) => secrets.flatMap((secret) => occurrences(text, secret)))
    .sort(([a], [b]) => a - b);
  let result = '';
  let from = 0;
  for (const [start, end] of covered) {
    if (start >= from) result += text.slice(from, start) + redacted;
    from = Math.max(from, end);
  }
  return result + text.slice(from);
}

/** @returns where in the text a secret stands, or the beginning of a long one with as much as follows of it. */
function occurrences(text: string, secret: string): [start: number, end: number][] {
  const head = secret.length > headLength * 2 ? secret.slice(0, headLength) : secret;
  const found: [number, number][] = [];
  for (let at = text.indexOf(head), end = 0; at >= 0; at = text.indexOf(head, end)) {
    end = at + head.length;
    while (end - at < secret.length && text[end] === secret[end - at]) end += 1;
    found.push([at, end]);
  }
  return found;
}
