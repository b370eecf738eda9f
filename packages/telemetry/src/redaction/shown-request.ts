import type { HttpEvent } from '../context/http-event.ts';
import { redactText } from './redact.ts';
import { openHeaders } from './request-secrets.ts';

/** @returns the headers that may be shown, and the URL without its query. */
export function shownRequest(event: HttpEvent): { url: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    const key = name.toLowerCase();
    if (openHeaders.has(key) && typeof value === 'string') headers[key] = redactText(value).slice(0, 512);
  }
  const host = headers.host ?? textOf(event.requestContext?.domainName) ?? 'localhost';
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return { url: redactText(`${scheme}://${host}${pathAt(host, event)}`).slice(0, 2_048), headers };
}

/** API Gateway's own host names want the stage before the path, and `path` lacks it. */
function pathAt(host: string, { path: given, requestContext }: HttpEvent): string {
  const path = textOf(given) ?? '/';
  const isOwnName = /\.execute-api\.[\w-]+\.amazonaws\.com(\.cn)?$/.test(host);
  return isOwnName ? (textOf(requestContext?.path) ?? path) : path;
}

/** A function that is invoked directly gets an event of any shape. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
