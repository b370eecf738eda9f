import { config } from '../config.ts';
import type { CallerInput } from '../context/http-event.ts';
import type { RequestState } from '../context/request-context.ts';
import { shortestSecret } from './encodings.ts';
import { jsonTokens } from './json-tokens.ts';
import { longestCompared, mostStepsOfRequest, SecretIndex } from './secret-index.ts';

/**
 * Headers that are not confidential, but for tokens in them; every other header's value is its
 * sender's secret.
 */
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

/**
 * Fields of a body or query that name things or choose settings, with the values that do. A service
 * adds its own.
 */
const openFields: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(limit|level)$/i, /^\w{1,10}$/],
  [/^handle$/i, /^@?\w{1,30}$/],
  [/^([a-z_]*uuid|id)$/i, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^\d{1,20}$/i],
];

/**
 * The forms of names in a path. Anything else in it is a mistake or worse: an e-mail, a token,
 * another service's key.
 */
const openInPath = /^(@|%40)\w{1,30}$|^\w{1,15}$|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A word this long in a longer text is usually a token. It is looked for by itself too: it stays as
 * it is whatever escapes the signs around it, and there are more ways to write a quotation mark
 * than can be listed.
 */
const tokens = /[\w-]{16,}/g;
const identifier = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/**
 * A pattern finds a presigned URL by these; taken out first, they would leave its secrets
 * unrecognized.
 */
const marker = /^X-Amz-/i;
/** Names of a trace, in `traceparent` and `x-amzn-trace-id`. */
const traceNames =
  /\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b|\b1-[0-9a-f]{8}-[0-9a-f]{24}\b|\b(Parent|Lineage)=[\w:]+/g;

/** Of one text, what is searched for tokens. */
const longestRead = 32_768;
/** One more character than is compared says that there are more. */
const longest = longestCompared + 1;
/** Texts that are taken from one request. */
const most = 300;
/**
 * Members of a body that are looked at, and characters that are searched for tokens: a body of any
 * size costs a few ms.
 */
const mostMembers = 6_000;
const mostCharacters = 100_000;
/**
 * In longer bodies the texts are read without parsing all of it: to list an object's 400,000 keys
 * takes 50 ms.
 */
const longestParsed = 65_536;

/**
 * @returns the index of what this request's caller sent in confidence, made when it is first asked
 * for.
 */
export function secretsOfRequest(request: RequestState): () => SecretIndex {
  let known: SecretIndex | undefined;
  return () => {
    known ??= new SecretIndex(
      request.http ? requestSecrets(request.http) : [],
      (text) => isOwn(request, text),
      mostStepsOfRequest,
    );
    return known;
  };
}

/**
 * The names by which this request is known everywhere are not secret, even if its caller sends one
 * as a value.
 */
function isOwn({ traceId, xrayId, requestId = '', fields }: RequestState, text: string): boolean {
  const names = [traceId, xrayId(), requestId, String(fields.get('route')), config.serviceName()];
  return names.some((own) => own.includes(text));
}

/**
 * Lists what a request's caller sent in confidence: every text of the body, every query value,
 * header and path parameter that is not known to be open. All of it is taken out of whatever this
 * request writes, wherever an error message or a log line quotes it.
 */
export function requestSecrets(input: CallerInput): string[] {
  const found = new Set<string>();
  let characters = mostCharacters;
  const addWhole = (value: string): void => {
    if (value.length < shortestSecret || found.size >= most) return;
    const known = value.slice(0, longest);
    found.add(known);
    found.add(known.trim());
  };
  const add = (value: unknown): void => {
    if (typeof value !== 'string' || value.length < shortestSecret || found.size >= most) return;
    addWhole(value);
    if (characters <= 0) return;
    const known = value.slice(0, Math.min(longestRead, characters));
    characters -= known.length;
    const once = decoded(known);
    // Code that reads a cookie, a path or a form gets the value without its encoding.
    for (const text of new Set([known, once, decoded(once)])) {
      if (found.size >= most) return;
      if (text !== known) addWhole(text);
      for (const [token] of text.matchAll(tokens)) {
        if (found.size >= most) break;
        if (!identifier.test(token) && !marker.test(token)) found.add(token);
      }
    }
  };
  /** Adds the words of an open value, or of a name, that can only be tokens. */
  const addTokens = (text: string): void => {
    if (text.length < 16 || characters <= 0) return;
    characters -= Math.min(text.length, longestRead);
    for (const [word] of text.slice(0, longestRead).replace(traceNames, '').matchAll(tokens)) {
      if (/\d/.test(word) && /[a-z]/i.test(word) && !identifier.test(word)) add(word);
    }
  };
  forEach(input.headers, input.multiValueHeaders, (name, value) => {
    const key = name.toLowerCase();
    addTokens(name);
    // CloudFront's request ID looks like a token, and AWS's support asks for it.
    if (key === 'x-amz-cf-id') return;
    if (openHeaders.has(key)) {
      addTokens(value);
      return;
    }
    add(value);
    // An error may quote a scheme's credentials or a cookie's value without what surrounds it.
    for (const part of value.split(/[\s;,]+/)) {
      const own = part.replace(/^[^=]{1,64}=(?=.)/, '');
      add(own);
      add(own.replace(/^"(.*)"$/, '$1'));
    }
    // RFC 7617: code that checks a password has it without its encoding.
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
  // As a whole too: code that quotes the body keeps the caller's own escapes, which are not among
  // our encodings.
  if (typeof input.body === 'string') addWhole(input.body);
  let members = mostMembers;
  const isFull = (): boolean => {
    members -= 1;
    return members < 0 || found.size >= most;
  };
  addBody(input, { add, addTokens, isFull });
  return [...found];
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
  /** Called for each member: whether no more are taken. A body may have hundreds of thousands. */
  isFull(): boolean;
}

function addBody(input: CallerInput, finding: Finding): void {
  if (typeof input.body !== 'string' || input.body === '') return;
  const text = input.isBase64Encoded ? Buffer.from(input.body, 'base64').toString('utf8') : input.body;
  if (text.length > longestParsed && /^\s*["[{]/.test(text)) {
    for (const { key, value, isName } of jsonTokens(text, longest * 2)) {
      if (finding.isFull()) return;
      if (isName) addName(key, finding);
      else if (!isOpen(key, value)) finding.add(value);
    }
    return;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A body that is not JSON is quoted as a whole, by its words, or by a form's values.
    const beginning = text.slice(0, 8_192);
    for (const part of [beginning, ...new URLSearchParams(beginning).values(), ...beginning.split(/[\s"'&=,:{}[\]]+/)])
      finding.add(part);
    return;
  }
  addTexts(parsed, '', 0, finding);
}

/** A recursion this deep fits any stack. */
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
    // JSON.parse makes objects that inherit nothing enumerable.
    for (const name in value) {
      if (finding.isFull()) return;
      addName(name, finding);
      addTexts((value as Record<string, unknown>)[name], name, depth + 1, finding);
    }
  } else if (typeof value === 'number' && !isOpen(key, String(value))) finding.add(String(value));
}

function addName(name: string, finding: Finding): void {
  if (name.length > 40) finding.add(name);
  else finding.addTokens(name);
}

function isOpen(field: string, value: string): boolean {
  const isNamed = ([name, looks]: readonly [RegExp, RegExp]): boolean => name.test(field) && looks.test(value);
  return openFields.some(isNamed) || config.ofService().openFields.some(isNamed);
}

function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
