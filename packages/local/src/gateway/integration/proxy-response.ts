import { firstMediaType, type GatewayAnswer, isBinaryMediaType } from '../answer.ts';

export type ProxyResponseReading =
  | { kind: 'answer'; answer: GatewayAnswer }
  /** Not a proxy response; `reason` names the first thing wrong. */
  | { kind: 'malformed'; reason: string }
  /** Binary support is on for it, and the body is not Base64. */
  | { kind: 'not-base64' };

const knownFields = new Set(['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded']);
/**
 * Headers that the gateway writes itself; the function's value is kept as `x-amzn-Remapped-…`
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
 */
const remapped = new Set(['connection', 'content-length', 'date', 'server', 'www-authenticate']);
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

type Scalar = string | boolean;
const isScalar = (value: unknown): value is Scalar => typeof value === 'string' || typeof value === 'boolean';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readHeaders(response: Record<string, unknown>): [string, string][] | string {
  const merged = new Map<string, { name: string; values: string[] }>();
  // The names and values of multiValueHeaders come first, those of headers are added to them.
  for (const field of ['multiValueHeaders', 'headers'] as const) {
    const map = response[field] ?? {};
    if (!isRecord(map)) return `${field} is not an object`;
    for (const [name, given] of Object.entries(map)) {
      const values = field === 'headers' ? [given] : given;
      if (!Array.isArray(values) || !values.every(isScalar)) return `${field}.${name} is not a string`;
      const texts = values.map(String);
      if (!headerName.test(name) || !texts.every((text) => headerValue.test(text)))
        return `${field}.${name} is not a valid header`;
      const seen = merged.get(name.toLowerCase());
      // multiValueHeaders may hold the pair of headers once more: it counts once.
      if (seen) seen.values.push(...texts.filter((text) => !seen.values.includes(text)));
      else merged.set(name.toLowerCase(), { name, values: texts });
    }
  }
  return [...merged].flatMap(([key, { name, values }]) => {
    if (key === 'transfer-encoding') return [];
    const shown = remapped.has(key) ? `x-amzn-Remapped-${name}` : name;
    return values.map((value): [string, string] => [shown, value]);
  });
}

function readStatus(statusCode: unknown): number | undefined {
  if (statusCode === undefined || statusCode === null) return 200;
  const status = typeof statusCode === 'string' && /^\d{3}$/.test(statusCode) ? Number(statusCode) : statusCode;
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]*={0,2}\s*$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/**
 * Reads what a function returned to a proxy integration, with the strictness that API Gateway has:
 * an object, no field but the five, a status code of three digits (200 if absent), header
 * values that are strings or booleans, a body that is a string. A Base64 body is decoded only where
 * `binaryMediaTypes` covers the first type of the client's Accept header, as a REST API does it.
 * @param payload the function's answer as JSON text
 */
export function readProxyResponse(
  payload: string,
  accept: string | undefined,
  binaryMediaTypes: string[],
): ProxyResponseReading {
  const malformed = (reason: string): ProxyResponseReading => ({ kind: 'malformed', reason });
  let response: unknown;
  try {
    response = JSON.parse(payload);
  } catch {
    return malformed('it is not valid JSON');
  }
  if (!isRecord(response)) return malformed('it is not an object');
  const unknown = Object.keys(response).find((key) => !knownFields.has(key));
  if (unknown !== undefined) return malformed(`${unknown} is not one of its fields`);
  const status = readStatus(response.statusCode);
  if (status === undefined) return malformed('statusCode is not an HTTP status');
  const headers = readHeaders(response);
  if (typeof headers === 'string') return malformed(headers);
  const text = response.body ?? '';
  if (typeof text !== 'string') return malformed('body is not a string');
  const encoded = response.isBase64Encoded ?? false;
  if (typeof encoded !== 'boolean') return malformed('isBase64Encoded is not a boolean');

  const binary = encoded && isBinaryMediaType(binaryMediaTypes, firstMediaType(accept));
  const body = binary ? decodeBase64(text) : Buffer.from(text);
  if (!body) return { kind: 'not-base64' };
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
    headers.unshift(['Content-Type', 'application/json']);
  }
  return { kind: 'answer', answer: { status, headers, body } };
}
