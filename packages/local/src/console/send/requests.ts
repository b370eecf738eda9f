import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { httpAddresses } from '../../service/apis/http-addresses.ts';
import type { LocalService } from '../../service/model.ts';

/** A request that the page offers to send. */
export interface SendableRequest {
  /** `events/home/ok.json`, or the route. */
  title: string;
  method: string;
  /** With its query; begins with a slash. */
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** Set by the gateway or by the connection, so an event's copy must not be sent. */
const notSent =
  /^(host|connection|content-length|transfer-encoding|via|x-forwarded-.*|x-amzn-.*|x-amz-cf-id|cloudfront-.*|traceparent|tracestate)$/i;

/**
 * @returns the requests of a service: one for each API Gateway event in `events/<function>/` or
 *   `events/<function>.json`, and one for each route that has no such file.
 */
export async function sendableRequests(service: LocalService): Promise<SendableRequest[]> {
  const addresses = httpAddresses(service);
  const byFunction = await Promise.all(
    [...new Set(addresses.map(({ functionKey }) => functionKey))].map(async (key) => {
      const recorded = await recordedRequests(service.directory, key);
      if (recorded.length > 0) return recorded;
      return addresses
        .filter(({ functionKey }) => functionKey === key)
        .map(({ method, path }) => ({
          title: `${method} ${path}`,
          method: method === 'ANY' ? 'GET' : method,
          path,
          headers: {},
          body: '',
        }));
    }),
  );
  return byFunction.flat();
}

async function recordedRequests(directory: string, key: string): Promise<SendableRequest[]> {
  const names = await readdir(path.join(directory, 'events', key)).catch(() => []);
  const files = [
    `events/${key}.json`,
    ...names.filter((name) => name.endsWith('.json')).map((name) => `events/${key}/${name}`),
  ];
  const requests = await Promise.all(
    files.map(async (file) => {
      try {
        return fromEvent(file, JSON.parse(await readFile(path.join(directory, file), 'utf8')));
      } catch {
        // No such file, or one that is not JSON: the routes remain.
        return undefined;
      }
    }),
  );
  // What works comes first.
  return requests.filter((request) => request !== undefined).sort((one, other) => rank(one) - rank(other));
}

const rank = ({ title }: SendableRequest) => (/\bok\b/.test(title) ? 0 : 1);

interface ProxyEvent {
  httpMethod?: unknown;
  path?: unknown;
  rawPath?: unknown;
  rawQueryString?: unknown;
  queryStringParameters?: Record<string, string> | null;
  multiValueQueryStringParameters?: Record<string, string[]> | null;
  headers?: Record<string, unknown> | null;
  requestContext?: { http?: { method?: unknown } };
  body?: unknown;
  isBase64Encoded?: unknown;
}

/** @returns the request behind an event of a REST API, an HTTP API or a function URL, if it is one. */
function fromEvent(title: string, event: ProxyEvent): SendableRequest | undefined {
  const method = event.requestContext?.http?.method ?? event.httpMethod;
  const bare = event.rawPath ?? event.path;
  if (typeof method !== 'string' || typeof bare !== 'string' || !bare.startsWith('/')) return undefined;
  const query = queryOf(event);
  const body = typeof event.body === 'string' ? event.body : '';
  return {
    title,
    method,
    path: query ? `${bare}?${query}` : bare,
    headers: Object.fromEntries(
      Object.entries(event.headers ?? {}).flatMap(([name, value]) =>
        notSent.test(name) || typeof value !== 'string' ? [] : [[name.toLowerCase(), value]],
      ),
    ),
    body: event.isBase64Encoded === true ? Buffer.from(body, 'base64').toString('utf8') : body,
  };
}

function queryOf(event: ProxyEvent): string {
  if (typeof event.rawQueryString === 'string') return event.rawQueryString;
  const pairs = event.multiValueQueryStringParameters
    ? Object.entries(event.multiValueQueryStringParameters).flatMap(([key, values]) =>
        values.map((value): [string, string] => [key, value]),
      )
    : Object.entries(event.queryStringParameters ?? {});
  return String(new URLSearchParams(pairs));
}
