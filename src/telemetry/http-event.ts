import { redactText } from './redaction.ts';
import { type CallerInput, openHeaders } from './secrets.ts';

/** What is read of an event, whatever it is an event of: an API Gateway proxy event has all of it. */
export interface HttpEvent extends CallerInput {
  httpMethod?: string;
  resource?: string;
  path?: string;
  requestContext?: { stage?: string; domainName?: string; httpMethod?: string; path?: string };
}

/** What a handler answers, where it answers HTTP. */
export interface HttpResponse {
  statusCode?: number;
  body?: string;
  isBase64Encoded?: boolean;
}

/** @returns `text` of the event, or undefined for an event that is not of HTTP. */
export function httpEventOf(event: unknown): HttpEvent | undefined {
  const candidate = event as HttpEvent | null | undefined;
  return typeof candidate === 'object' && candidate !== null && typeof candidate.httpMethod === 'string'
    ? candidate
    : undefined;
}

/** @returns the value of a header whose name the client may have written in any case. */
export function headerOf(event: HttpEvent, name: string): string | undefined {
  for (const [key, value] of Object.entries(event.headers ?? {})) if (key.toLowerCase() === name) return value;
  return undefined;
}

/** @returns the bytes of a body as it travels over HTTP. */
export function bodyBytes(message: { body?: string | null; isBase64Encoded?: boolean } | undefined): number {
  const body = message?.body;
  if (typeof body !== 'string') return 0;
  return Buffer.byteLength(body, message?.isBase64Encoded ? 'base64' : 'utf8');
}

/** @returns the headers that may be shown, and the URL without its query. */
export function shownRequest(event: HttpEvent): { url: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    const key = name.toLowerCase();
    if (openHeaders.has(key) && typeof value === 'string') headers[key] = redactText(value).slice(0, 512);
  }
  const host = headers['host'] ?? textOf(event.requestContext?.domainName) ?? 'localhost';
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return { url: redactText(`${scheme}://${host}${pathAt(host, event)}`).slice(0, 2_048), headers };
}

/** API Gateway's own host names want the stage before the path, and `path` is without. */
function pathAt(host: string, { path: given, requestContext }: HttpEvent): string {
  const path = textOf(given) ?? '/';
  const isOwnName = /\.execute-api\.[\w-]+\.amazonaws\.com(\.cn)?$/.test(host);
  return isOwnName ? (textOf(requestContext?.path) ?? path) : path;
}

/** Whoever invokes a function directly makes up its event. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
