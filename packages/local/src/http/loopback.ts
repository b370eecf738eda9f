import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** The headers of a request: Node's own object, or those of a Fetch `Request`. */
interface HasHeaders {
  headers: IncomingHttpHeaders | Headers;
}

export interface LoopbackOptions {
  /**
   * Host names to accept beside 127.0.0.1, localhost and ::1, without a port: a container reaches
   * this machine by another name.
   */
  hosts?: readonly string[];
  /**
   * Web origins (`http://127.0.0.1:4000`) whose pages may call; `any` leaves the decision to the
   * CORS rules of what answers.
   */
  origins?: readonly string[] | 'any';
}

const loopbackNames = new Set(['127.0.0.1', 'localhost', '[::1]']);

function header(request: HasHeaders, name: string): string | undefined {
  const { headers } = request;
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * @returns why a request must not be served by a server that is meant for this machine alone, or
 * undefined when it may be.
 */
export function foreignReason(request: HasHeaders, options: LoopbackOptions = {}): string | undefined {
  // A page that rebinds its DNS name to 127.0.0.1 reaches this server, but cannot hide its own name
  // from the Host header.
  const host = header(request, 'host')?.toLowerCase();
  const name = host?.replace(/:\d{1,5}$/, '');
  if (!name || !(loopbackNames.has(name) || options.hosts?.includes(name))) {
    return 'This server answers on this machine only: the Host header must be 127.0.0.1, localhost or [::1].';
  }
  // Only browsers send Origin: a page elsewhere must neither read what is here nor add to it.
  const origin = header(request, 'origin');
  if (origin === undefined || options.origins === 'any' || options.origins?.includes(origin)) return undefined;
  return 'This server does not answer to web pages of another origin.';
}

/**
 * @returns whether a request names this machine in its Host header and does not come from a foreign
 * web page.
 */
export function isLoopbackRequest(request: HasHeaders, options?: LoopbackOptions): boolean {
  return foreignReason(request, options) === undefined;
}

/**
 * Answers 403 to a request that is not of this machine.
 * @returns whether it did; the caller then has nothing more to do.
 */
export function refuseForeign(request: HasHeaders, response: ServerResponse, options?: LoopbackOptions): boolean {
  const reason = foreignReason(request, options);
  if (reason === undefined) return false;
  // The body was not read: a connection that is kept open would take it for the next request.
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${reason}\n`);
  return true;
}
