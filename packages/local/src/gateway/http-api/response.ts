import type { GatewayAnswer } from '../answer.ts';
import { readProxyResponse } from '../integration/proxy-response.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const dropped = new Set(['connection', 'content-length', 'transfer-encoding']);

function headersOf(response: Record<string, unknown>): [string, string][] | undefined {
  const pairs: [string, string][] = [];
  const add = (name: string, value: unknown): boolean => {
    if (!['string', 'number', 'boolean'].includes(typeof value) || !headerName.test(name)) return false;
    if (!dropped.has(name.toLowerCase()))
      pairs.push([name.toLowerCase(), String(value).replace(/[^\t\x20-\x7e\x80-\xff]/g, '')]);
    return true;
  };
  const { headers = {}, multiValueHeaders, cookies = [] } = response;
  // A streamed response has its cookies there; nothing else of it is known to this format.
  const streamed = isRecord(multiValueHeaders) ? (multiValueHeaders['Set-Cookie'] ?? []) : [];
  if (!isRecord(headers) || !Array.isArray(cookies) || !Array.isArray(streamed)) return undefined;
  const valid =
    Object.entries(headers).every(([name, value]) => add(name, value)) &&
    [...cookies, ...streamed].every((cookie) => add('set-cookie', cookie));
  return valid ? pairs : undefined;
}

/**
 * Reads what a function returned to payload format 2.0: with a `statusCode` it is the answer,
 * anything else is its body as JSON.
 * @param contentType of an answer that names none
 * @returns undefined for what is neither.
 */
export function readResponseV2(payload: string, contentType = 'text/plain;charset=UTF-8'): GatewayAnswer | undefined {
  let response: unknown;
  try {
    response = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!isRecord(response) || response.statusCode === undefined) {
    const text = typeof response === 'string' ? response : payload;
    return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(text) };
  }
  const status = Number(response.statusCode);
  const { body = '', isBase64Encoded = false } = response;
  const headers = headersOf(response);
  if (!headers || !Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (body !== null && typeof body !== 'string') return undefined;
  if (!headers.some(([name]) => name === 'content-type')) headers.push(['content-type', contentType]);
  return { status, headers, body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8') };
}

/**
 * Reads what a function returned to payload format 1.0: a proxy response, whose Base64 body is
 * always decoded.
 */
export function readResponseV1(payload: string): GatewayAnswer | undefined {
  const reading = readProxyResponse(payload, '*/*', ['*/*']);
  return reading.kind === 'answer' ? reading.answer : undefined;
}
