import { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { AWSXRayIdGenerator } from '@opentelemetry/id-generator-aws-xray';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch';
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

/**
 * Traces every `fetch` of the page. X-Ray takes only trace ids that begin with the time, and API
 * Gateway continues only X-Ray's own header: hence the generator and the second propagator.
 * @param api origin of the API, which gets the trace headers.
 * @param collector where spans go by OTLP: `http://127.0.0.1:4318` is `npm start`'s.
 */
export function startTracing(api: string, collector: string): void {
  const provider = new WebTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'cruddur-page' }),
    idGenerator: new AWSXRayIdGenerator(),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${collector}/v1/traces` }), { scheduledDelayMillis: 500 }),
    ],
  });
  provider.register({
    propagator: new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new AWSXRayPropagator()] }),
  });
  registerInstrumentations({
    instrumentations: [
      new FetchInstrumentation({
        propagateTraceHeaderCorsUrls: [new RegExp(`^${api.replaceAll('.', '\\.')}/`)],
        ignoreUrls: [new RegExp(`^${collector.replaceAll('.', '\\.')}/`)],
      }),
    ],
  });
}
