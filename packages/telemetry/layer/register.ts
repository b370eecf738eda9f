import { context, diag, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { config } from '../src/config.ts';
import { sharedExporter } from '../src/export/exporter.ts';
import { writeWarning } from '../src/export/warning.ts';
import { AsyncContextManager } from './context-manager.ts';
import { XrayIdGenerator } from './id-generator.ts';
import { type OtelSettings, readOtelSettings } from './otel-settings.ts';
import { otlpBackend } from './otlp-backend.ts';
import { TailProcessor } from './tail-processor.ts';

/**
 * Sets up OpenTelemetry before the function's code is loaded, and registers as a Lambda extension.
 * A failure is a warning: a function starts without traces rather than not at all.
 * @returns when Lambda knows of the extension; INIT must wait, because Lambda accepts no
 *   registration after INIT.
 */
export async function register(environment: Record<string, string | undefined>): Promise<void> {
  try {
    const settings = readOtelSettings(environment);
    if (settings.disabled) return;
    for (const warning of settings.warnings) writeWarning(warning);
    const exporter = sharedExporter();
    if (settings.tracesUrl) provide(settings, settings.tracesUrl);
    const api = environment.AWS_LAMBDA_RUNTIME_API;
    // Where an environment has several invocations at a time, Lambda lets no extension register for
    // INVOKE.
    if (api && !environment.AWS_LAMBDA_MAX_CONCURRENCY) await exporter.register(api);
  } catch (error) {
    writeWarning(`OpenTelemetry was not set up: ${error instanceof Error ? error.message : error}`);
  }
}

function provide(settings: OtelSettings, url: string): void {
  const exporter = sharedExporter();
  const backend = otlpBackend(url, settings, (message) => exporter.warn(message, {}));
  exporter.backends.add(backend);
  exporter.exportsSpans = true;
  const provider = new TracerProvider({
    resource: resourceFromAttributes(settings.resource),
    idGenerator: new XrayIdGenerator(),
    spanProcessors: [new TailProcessor(exporter.queue, backend, settings)],
  });
  diag.disable();
  context.setGlobalContextManager(new AsyncContextManager().enable());
  propagation.setGlobalPropagator(new CompositePropagator({ propagators: settings.propagators.map(propagatorOf) }));
  trace.setGlobalTracerProvider(provider);
}

function propagatorOf(name: OtelSettings['propagators'][number]): TextMapPropagator {
  return name === 'baggage' ? new W3CBaggagePropagator() : new W3CTraceContextPropagator();
}

/** The module that loads this one waits for it. */
export const ready: Promise<void> = register(config.environment());
