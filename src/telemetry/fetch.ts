import { SpanKind } from '@opentelemetry/api';
import { setAttributes } from './attributes.ts';
import { outgoingHeaders } from './propagation.ts';
import { redactText } from './redaction.ts';
import { flagOutcome, outcomeOf, runInSpan } from './span.ts';

/**
 * `fetch` as one span, named after the host as X-Ray's SDK names it, with exactly one `X-Amzn-Trace-Id` and one `traceparent` on the
 * request. The query is not recorded: it holds what callers type. Use this instead of `fetch`, which is left as it is.
 * @throws what `fetch` throws.
 */
export async function tracedFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const request = new Request(input, init);
  const url = new URL(request.url);
  return runInSpan(url.hostname, { kind: SpanKind.CLIENT, namespace: 'remote' }, async (active) => {
    if (!active) return fetch(request);
    for (const [name, value] of Object.entries(outgoingHeaders())) request.headers.set(name, value);
    const shown = redactText(`${url.origin}${url.pathname}`);
    const http = { request: { method: request.method, url: shown, traced: true } };
    active.subsegment?.addAttribute('http', http);
    setAttributes(active, {
      'http.request.method': request.method,
      'url.full': shown,
      'server.address': url.hostname,
      // X-Ray's `traced`, by the name that AWS's exporter for OpenTelemetry's collector has for it: a segment of the called one may follow.
      'aws.xray.traced': true,
    });
    const response = await fetch(request);
    const length = contentLength(response);
    active.subsegment?.addAttribute('http', { ...http, response: { status: response.status, content_length: length } });
    setAttributes(active, { 'http.response.status_code': response.status, 'http.response.body.size': length });
    flagOutcome(active, outcomeOf(response.status), true);
    return response;
  });
}

function contentLength(response: Response): number | undefined {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  return Number.isFinite(length) ? length : undefined;
}
