import type { IncomingHttpHeaders } from 'node:http';

interface Known {
  path: RegExp;
  /** A short fixed sentence: what it is, and what to send instead. */
  reason: string;
}

/** Requests that tools send to the wrong address, or in a format that is not received. */
const knownKnown: Known[] = [
  {
    path: /^\/api\/\d+\/(envelope|store|security|minidump)\/?$/,
    reason: "Sentry's protocol is not received: send OTLP to /v1/traces, or Rollbar items to /api/1/item/",
  },
  { path: /^\/api\/v[12]\/spans\/?$/, reason: "Zipkin's spans are not received: send OTLP to /v1/traces" },
  { path: /^\/api\/traces\/?$/, reason: "Jaeger's Thrift is not received: send OTLP to /v1/traces" },
  {
    path: /^\/(v0\.\d\/(traces|stats|config)|evp_proxy\/.*|telemetry\/proxy\/.*|api\/v0\.2\/(traces|stats))\/?$/,
    reason: "Datadog's protocol is not received: send OTLP to /v1/traces",
  },
  { path: /^\/api\/v1\/write\/?$/, reason: 'Prometheus remote write is not received: send OTLP to /v1/metrics' },
  { path: /^\/loki\/api\/v1\/push\/?$/, reason: "Loki's push is not received: send OTLP to /v1/logs" },
  {
    path: /^\/intake\/v2\/(rum\/)?events\/?$/,
    reason: "Elastic APM's events are not received: send OTLP to /v1/traces",
  },
  { path: /^\/opentelemetry\./, reason: 'gRPC is received at another port: send it to 4317, or OTLP/HTTP here' },
];

/**
 * Names traffic that nothing here receives, so that whoever sent it finds out.
 * @returns a short fixed sentence that says what to send instead.
 */
export function unknownTraffic(path: string, headers: IncomingHttpHeaders = {}): string {
  const known = knownKnown.find((one) => one.path.test(path));
  if (known) return known.reason;
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/grpc'))
    return 'gRPC is received at another port: send it to 4317, or OTLP/HTTP here';
  if (path === '/' && type.includes('protobuf'))
    return 'OTLP without a path: send it to /v1/traces, /v1/metrics or /v1/logs';
  return 'nothing is received at this path: OTLP is at /v1/, Honeycomb at /1/, Rollbar at /api/1/item/';
}
