import { formsOf, shortest } from './forms.ts';

/** The parts of an API Gateway proxy event that callers fill. */
export interface CallerInput {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
  pathParameters?: Record<string, string | undefined> | null;
  body?: string | null;
  isBase64Encoded?: boolean;
}

/** Headers that tell nothing in confidence, but for tokens in them; any other's value is a secret of its sender. */
export const openHeaders = new Set(
  [
    'accept accept-encoding accept-language cache-control connection content-length content-type host origin pragma user-agent',
    'via x-amz-cf-id x-amzn-trace-id x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-request-id',
    'traceparent cloudfront-forwarded-proto cloudfront-viewer-country origin priority te',
    'upgrade-insecure-requests sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-ch-ua-platform',
  ]
    .join(' ')
    .split(' '),
);

/** Fields of a body or query whose values are identifiers or settings, not words of a person; another value in them is none. */
const openFields: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(limit|level)$/i, /^\w{1,10}$/],
  [/^ttl$/i, /^\d{1,3}-[a-z]{1,8}$/],
  [/^(handle|user_receiver_handle)$/i, /^@?\w{1,30}$/],
  [/^([a-z_]*uuid|id)$/i, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^\d{1,20}$/i],
];

/** What a path names things by; anything else in it is a mistake or worse, such as an e-mail, a token or another service's key. */
const openInPath = /^(@|%40)\w{1,30}$|^\w{1,15}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A word of this length in a longer text is a token more often than a word. It is looked for by itself too, because it stays as it is
 * whatever escapes the signs around it: there are more ways to write a quotation mark than can be listed.
 */
const tokens = /[\w-]{16,}/g;
const identifier = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Without what follows them in a presigned URL they are found by, they would be no secrets, and it would be. */
const marker = /^X-Amz-/i;
/** What names a trace, in `traceparent` and `x-amzn-trace-id`. */
const traceNames =
  /\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b|\b1-[0-9a-f]{8}-[0-9a-f]{24}\b|\b(Parent|Lineage)=[\w:]+/g;

const longest = 32_768;
const most = 300;

/**
 * Lists what a request's caller sent in confidence: every text of the body, every query value, every header, every path parameter, but for
 * those that are known to be open. What is listed is taken out of whatever this request writes, wherever an error message or a log line quotes it.
 * @returns all their forms, the longest first.
 */
export function secretsOf(input: CallerInput): string[] {
  const found = new Set<string>();
  const addWhole = (value: string): void => {
    if (value.length < shortest || found.size >= most) return;
    // No text that is searched for it is longer.
    const known = value.slice(0, longest);
    found.add(known);
    found.add(known.trim());
  };
  const add = (value: unknown): void => {
    if (typeof value !== 'string') return;
    addWhole(value);
    // Whoever reads a cookie, a path or a form has it without its encoding.
    for (const text of new Set([value, decoded(value), decoded(decoded(value))])) {
      if (found.size >= most) return;
      if (text !== value) addWhole(text);
      for (const [token] of text.slice(0, longest).matchAll(tokens)) {
        if (found.size >= most) break;
        if (!identifier.test(token) && !marker.test(token)) found.add(token);
      }
    }
  };
  /** Of what is open, and of names, those words that can be nothing but tokens. */
  const addTokens = (text: string): void => {
    for (const [word] of text.slice(0, longest).replace(traceNames, '').matchAll(tokens)) {
      if (/\d/.test(word) && /[a-z]/i.test(word) && !identifier.test(word)) add(word);
    }
  };
  forEach(input.headers, input.multiValueHeaders, (name, value) => {
    const key = name.toLowerCase();
    addTokens(name);
    // CloudFront's own id of a request looks like one, and is what AWS's support asks for.
    if (key === 'x-amz-cf-id') return;
    if (openHeaders.has(key)) {
      addTokens(value);
      return;
    }
    add(value);
    // A scheme's credentials and a cookie's values are quoted without what stands around them.
    for (const part of value.split(/[\s;,]+/)) {
      const own = part.replace(/^[^=]{1,64}=(?=.)/, '');
      add(own);
      add(own.replace(/^"(.*)"$/, '$1'));
    }
    // RFC 7617: whoever checks a password has it without its encoding.
    const basic = /^Basic\s+([\w+/-]+=*)\s*$/i.exec(value)?.[1];
    if (basic) {
      const account = Buffer.from(basic, 'base64').toString('utf8');
      add(account);
      add(account.slice(account.indexOf(':') + 1));
    }
  });
  for (const value of Object.values(input.pathParameters ?? {})) {
    if (typeof value === 'string' && !openInPath.test(value)) add(value);
  }
  forEach(input.queryStringParameters, input.multiValueQueryStringParameters, (name, value) => {
    addTokens(name);
    if (!isOpen(name, value)) add(value);
  });
  // As a whole too: whatever quotes it writes its texts with the caller's own escapes, which are of no form below. Its words are names as well.
  if (typeof input.body === 'string') addWhole(input.body);
  addBody(input, { add, addTokens, isFull: () => found.size >= most });
  return formsOf(found);
}

function forEach(
  single: Record<string, string | undefined> | null | undefined,
  multiple: Record<string, string[] | undefined> | null | undefined,
  use: (name: string, value: string) => void,
): void {
  for (const [name, value] of Object.entries(single ?? {})) if (typeof value === 'string') use(name, value);
  for (const [name, values] of Object.entries(multiple ?? {})) {
    for (const value of Array.isArray(values) ? values : []) if (typeof value === 'string') use(name, value);
  }
}

interface Finding {
  add(value: unknown): void;
  addTokens(text: string): void;
  /** Whether no more is taken: a body may have hundreds of thousands of texts. */
  isFull(): boolean;
}

function addBody(input: CallerInput, finding: Finding): void {
  if (typeof input.body !== 'string' || input.body === '') return;
  const text = input.isBase64Encoded ? Buffer.from(input.body, 'base64').toString('utf8') : input.body;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // What is no JSON is quoted, if at all, as a whole, by its words, or by a form's values.
    const beginning = text.slice(0, 8_192);
    for (const part of [beginning, ...new URLSearchParams(beginning).values(), ...beginning.split(/[\s"'&=,:{}[\]]+/)])
      finding.add(part);
    return;
  }
  addTexts(parsed, '', 0, finding);
}

/** As deep as a function that calls itself gets in any stack. */
const deepest = 1_000;

function addTexts(value: unknown, key: string, depth: number, finding: Finding): void {
  if (depth > deepest || finding.isFull()) return;
  if (typeof value === 'string') {
    if (!isOpen(key, value)) finding.add(value);
  } else if (Array.isArray(value)) {
    for (const member of value) {
      if (finding.isFull()) return;
      addTexts(member, key, depth + 1, finding);
    }
  } else if (typeof value === 'object' && value !== null) {
    // What JSON.parse made has no other members than its own.
    for (const name in value) {
      if (finding.isFull()) return;
      if (name.length > 40) finding.add(name);
      else finding.addTokens(name);
      addTexts((value as Record<string, unknown>)[name], name, depth + 1, finding);
    }
  } else if (typeof value === 'number' && !isOpen(key, String(value))) finding.add(String(value));
}

function isOpen(field: string, value: string): boolean {
  return openFields.some(([name, looks]) => name.test(field) && looks.test(value));
}

function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
