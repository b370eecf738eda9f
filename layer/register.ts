import { context, diag, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { writeWarning } from '../src/telemetry/output.ts';
import { sharedShipper } from '../src/telemetry/shipping.ts';
import { type LayerConfig, readConfig } from './config.ts';
import { AsyncContextManager } from './context-manager.ts';
import { XrayIdGenerator } from './id-generator.ts';
import { otlpDestination } from './otlp.ts';
import { TailProcessor } from './processor.ts';

/**
 * Sets OpenTelemetry up before the function's code is loaded, and registers as a Lambda extension. What goes wrong here is a warning: a
 * function starts without traces rather than not at all.
 * @returns when Lambda knows of the extension; INIT must not go on before, because it takes no registration after INIT.
 */
export async function register(environment: Record<string, string | undefined>): Promise<void> {
  try {
    const config = readConfig(environment);
    if (config.disabled) return;
    for (const warning of config.warnings) writeWarning(warning);
    const shipper = sharedShipper();
    if (config.tracesUrl) provide(config, config.tracesUrl);
    const api = environment['AWS_LAMBDA_RUNTIME_API'];
    // Where an environment has several invocations at a time, Lambda lets no extension register for INVOKE.
    if (api && !environment['AWS_LAMBDA_MAX_CONCURRENCY']) await shipper.register(api);
  } catch (error) {
    writeWarning(`OpenTelemetry was not set up: ${error instanceof Error ? error.message : error}`);
  }
}

function provide(config: LayerConfig, url: string): void {
  const shipper = sharedShipper();
  const destination = otlpDestination(url, config);
  shipper.destinations.add(destination);
  shipper.exportsSpans = true;
  const provider = new TracerProvider({
    resource: resourceFromAttributes(config.resource),
    idGenerator: new XrayIdGenerator(),
    spanProcessors: [new TailProcessor(shipper, destination, config)],
  });
  diag.disable();
  context.setGlobalContextManager(new AsyncContextManager().enable());
  propagation.setGlobalPropagator(new CompositePropagator({ propagators: config.propagators.map(propagatorOf) }));
  trace.setGlobalTracerProvider(provider);
}

function propagatorOf(name: LayerConfig['propagators'][number]): TextMapPropagator {
  return name === 'baggage' ? new W3CBaggagePropagator() : new W3CTraceContextPropagator();
}

/** The module that loads this one waits for it. */
export const ready: Promise<void> = register(process.env);
