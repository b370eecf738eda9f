// The browser's span of a request that the page sends, as OpenTelemetry's fetch instrumentation
// makes it: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span

/** The identity of a span that begins a trace. */
export interface BrowserSpan {
  /** 32 hex digits, the first eight being the time, as X-Ray requires. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  /** Epoch milliseconds. */
  start: number;
}

const now = () => performance.timeOrigin + performance.now();

export function beginSpan(): BrowserSpan {
  const start = now();
  const time = Math.floor(start / 1000)
    .toString(16)
    .padStart(8, '0');
  return { traceId: time + randomHex(12), spanId: randomHex(8), start };
}

/** The headers by which the API's spans join the browser's: both naming its span. */
export function traceHeaders({ traceId, spanId }: BrowserSpan): Record<string, string> {
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    'x-amzn-trace-id': `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=1`,
  };
}

/**
 * Ends the span and sends it to the run by OTLP.
 * @param resource the URL of the page's own fetch, whose network timing becomes the span's events.
 * @returns the span's duration, in milliseconds.
 */
export async function endSpan(
  span: BrowserSpan,
  request: { method: string; url: string },
  status: number | undefined,
  resource: string,
): Promise<number> {
  const end = now();
  const attributes = {
    'http.request.method': request.method,
    'url.full': request.url,
    ...(status !== undefined && { 'http.response.status_code': status }),
  };
  const failed = status === undefined || status >= 400;
  const body = {
    resourceSpans: [
      {
        resource: { attributes: list({ 'service.name': 'browser', 'user_agent.original': navigator.userAgent }) },
        scopeSpans: [
          {
            scope: { name: 'throughline.console' },
            spans: [
              {
                traceId: span.traceId,
                spanId: span.spanId,
                name: `HTTP ${request.method}`,
                kind: 3,
                startTimeUnixNano: nanoseconds(span.start),
                endTimeUnixNano: nanoseconds(end),
                attributes: list(attributes),
                events: networkEvents(resource),
                status: failed ? { code: 2 } : {},
              },
            ],
          },
        ],
      },
    ],
  };
  await fetch('/v1/traces', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return end - span.start;
}

/** The events that OpenTelemetry's web SDK adds to a span, by its names. */
function networkEvents(resource: string) {
  const timing = performance.getEntriesByName(new URL(resource, location.href).href, 'resource').at(-1);
  if (!(timing instanceof PerformanceResourceTiming)) return [];
  const { fetchStart, connectStart, connectEnd, requestStart, responseStart, responseEnd } = timing;
  return Object.entries({ fetchStart, connectStart, connectEnd, requestStart, responseStart, responseEnd })
    .filter(([, time]) => time > 0)
    .map(([name, time]) => ({ name, timeUnixNano: nanoseconds(performance.timeOrigin + time) }));
}

function list(attributes: Record<string, string | number>) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
  }));
}

const nanoseconds = (milliseconds: number) => String(BigInt(Math.round(milliseconds * 1000)) * 1000n);

function randomHex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
