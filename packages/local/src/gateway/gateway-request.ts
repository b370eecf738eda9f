import type { IncomingMessage } from 'node:http';
import querystring from 'node:querystring';

/** A request as far as its line and headers go: the body is read only when something wants it. */
export interface GatewayRequest {
  /** Upper case, as the client sent it. */
  method: string;
  /** Still percent-encoded, without the query; leading slashes are one. */
  path: string;
  /** Without the question mark; empty where there is none. */
  query: string;
  protocol: string;
  /** The Host header, with the port. */
  host: string;
  /** Under the name that came first; names that differ in case alone are one header. */
  headers: Map<string, { name: string; values: string[] }>;
  sourceIp: string;
  /** Epoch milliseconds. */
  time: number;
}

/**
 * API Gateway counts the request line and the values of the headers
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html).
 */
export const maxHeaderBytes = 10_240;

function splitTarget(target: string): { path: string; query: string } {
  // A proxy's client sends the whole URL.
  const local = target.replace(/^https?:\/\/[^/?#]*/i, '');
  const [beforeFragment = ''] = local.split('#', 1);
  const mark = beforeFragment.indexOf('?');
  const path = mark < 0 ? beforeFragment : beforeFragment.slice(0, mark);
  return { path: path.replace(/^\/*/, '/'), query: mark < 0 ? '' : beforeFragment.slice(mark + 1) };
}

/** @returns the line and headers of a request, before anything of its body is read. */
export function readRequest(incoming: IncomingMessage, time: number): GatewayRequest {
  const headers: GatewayRequest['headers'] = new Map();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    const name = incoming.rawHeaders[index] ?? '';
    const value = incoming.rawHeaders[index + 1] ?? '';
    const header = headers.get(name.toLowerCase());
    if (header) header.values.push(value);
    else headers.set(name.toLowerCase(), { name, values: [value] });
  }
  return {
    method: incoming.method ?? 'GET',
    ...splitTarget(incoming.url ?? '/'),
    protocol: `HTTP/${incoming.httpVersion}`,
    host: incoming.headers.host ?? '',
    headers,
    sourceIp: (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
    time,
  };
}

/** @returns the one value of a header; undefined where it is absent or was sent more than once. */
export function onlyValue(request: GatewayRequest, name: string): string | undefined {
  const values = request.headers.get(name)?.values;
  return values?.length === 1 ? values[0] : undefined;
}

/** @returns the last value of a header, the one that `headers` of the event shows. */
export function lastValue(request: GatewayRequest, name: string): string | undefined {
  return request.headers.get(name)?.values.at(-1);
}

/** @returns the bytes that count towards API Gateway's limit for request line and headers. */
export function headerBytes(incoming: IncomingMessage): number {
  const line = `${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`;
  return incoming.rawHeaders.reduce(
    (sum, text, index) => sum + (index % 2 === 1 ? Buffer.byteLength(text, 'latin1') : 0),
    Buffer.byteLength(line),
  );
}

function decode(text: string): string {
  // Sequences that decode to nothing stay as they are: no query can break the event.
  return querystring.unescape(text.replaceAll('+', ' '));
}

/**
 * @returns name and value of each query parameter in order; `;` separates too, as API Gateway has
 * it.
 */
export function parseQuery(query: string): [name: string, value: string][] {
  return query
    .split(/[&;]/)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @returns the time as the common log format has it, in UTC: `22/Nov/2026:15:44:00 +0000`. */
export function commonLogTime(time: number): string {
  const date = new Date(time);
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${months[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
