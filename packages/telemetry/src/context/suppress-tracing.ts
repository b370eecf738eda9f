import { context, createContextKey } from '@opentelemetry/api-1.9';

/**
 * OpenTelemetry's SDKs and instrumentations of every version leave alone what runs under this key.
 */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * Runs a call that has its own span and headers, or must have none. The community layer instruments
 * Node's `http`, below an AWS SDK client: it would record the call twice, and replace a
 * `traceparent` that has been signed, which AWS then refuses.
 */
export function suppressTracing<T>(call: () => T): T {
  return context.with(context.active().setValue(suppressed, true), call);
}
