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

/** The parts of an event that telemetry reads; an API Gateway proxy event has all of them. */
export interface HttpEvent extends CallerInput {
  httpMethod?: string;
  resource?: string;
  path?: string;
  requestContext?: { stage?: string; domainName?: string; httpMethod?: string; path?: string };
}

/** The response of a handler that answers HTTP. */
export interface HttpResponse {
  statusCode?: number;
  body?: string;
  isBase64Encoded?: boolean;
}

/** @returns the event, or undefined for an event that is not an HTTP event. */
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
