import { context, createContextKey } from '@opentelemetry/api-1.9';

/** The key by which OpenTelemetry's SDKs and instrumentations, of every version, know what they are to leave alone. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/**
 * Makes a call that has its span and its headers already, or is to have none. The community layer instruments Node's `http`, which is below
 * an AWS SDK client: it would record the call a second time, and put another `traceparent` in the place of one that has been signed, which
 * AWS then refuses.
 */
export function untraced<T>(call: () => T): T {
  return context.with(context.active().setValue(suppressed, true), call);
}
