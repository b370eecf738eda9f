import { SpanKind } from '@opentelemetry/api-1.9';
import { type ActiveSpan, currentRequest } from '../context/request-context.ts';
import { suppressTracing } from '../context/suppress-tracing.ts';
import { outcomeOf } from '../errors/outcome.ts';
import { quietly } from '../quietly.ts';
import { redactText } from '../redaction/redact.ts';
import { setAttributes } from '../signals/attributes.ts';
import { flagOutcome, runInSpan } from '../signals/span.ts';
import { outgoingHeaders } from './outgoing-headers.ts';

/**
 * Known to every copy of this code in a process: a bundle beside another does not record each call
 * twice.
 */
const mark = Symbol.for('throughline.fetch');

/**
 * Makes every `fetch` over HTTP that a request makes one span, from now on. What is not of a
 * request goes its way untouched, and so do the modules `http` and `https`. A second call does
 * nothing.
 */
export function traceFetch(): void {
  const original = globalThis.fetch;
  if (typeof original !== 'function' || mark in original) return;
  const traced: typeof globalThis.fetch = async function fetch(input, init) {
    if (!currentRequest()) return original(input, init);
    // Built as `fetch` itself would: an invalid request fails with the same error.
    const request = new Request(input, init);
    return /^https?:/.test(request.url) ? recordFetch(original, request) : original(request);
  };
  globalThis.fetch = Object.assign(traced, { [mark]: true });
}

/**
 * The span is named after the host, as X-Ray's SDK names it, and exactly one `X-Amzn-Trace-Id` and
 * one `traceparent` leave. The query is not recorded: it holds what callers type.
 */
async function recordFetch(original: typeof globalThis.fetch, request: Request): Promise<Response> {
  const url = new URL(request.url);
  return runInSpan(url.hostname, { kind: SpanKind.CLIENT, namespace: 'remote' }, async (active) => {
    if (!active) return original(request);
    const http = quietly(() => describeRequest(active, request, url));
    const response = await suppressTracing(() => original(request));
    quietly(() => describeResponse(active, response, http));
    return response;
  });
}

/** @returns X-Ray's own words for it, to which its answer is added: what is written last counts. */
function describeRequest(active: ActiveSpan, request: Request, { origin, pathname, hostname }: URL): object {
  for (const [name, value] of Object.entries(outgoingHeaders())) request.headers.set(name, value);
  const shown = redactText(`${origin}${pathname}`);
  const http = { request: { method: request.method, url: shown, traced: true } };
  active.subsegment?.addAttribute('http', http);
  setAttributes(active, {
    'http.request.method': request.method,
    'url.full': shown,
    'server.address': hostname,
    // X-Ray's `traced`, by the name that AWS's exporter for OpenTelemetry's collector has for it: a
    // segment of the called one may follow.
    'aws.xray.traced': true,
  });
  return http;
}

function describeResponse(active: ActiveSpan, { status, headers }: Response, http: object | undefined): void {
  const text = headers.get('content-length');
  const length = text && Number.isFinite(Number(text)) ? Number(text) : undefined;
  active.subsegment?.addAttribute('http', { ...http, response: { status, content_length: length } });
  setAttributes(active, { 'http.response.status_code': status, 'http.response.body.size': length });
  flagOutcome(active, outcomeOf(status), true);
}
