import { traceFetch } from '../calls/fetch.ts';
import { config } from '../config.ts';
import { rollbar, rollbarToken } from '../errors/rollbar.ts';
import { sharedExporter } from '../export/exporter.ts';
import { logger } from '../signals/logger.ts';
import { writeLosses } from '../signals/metrics.ts';

/**
 * Wires the exporter to the logger, the metrics and Rollbar, and records `fetch`. The layer has
 * registered the extension before this, and a second registration does nothing; without the layer,
 * only Rollbar's items are exported from here.
 */
export function prepareExporter(): void {
  const exporter = sharedExporter();
  exporter.warn = (message, details) => logger.warn(message, details);
  exporter.writeLosses = writeLosses;
  traceFetch();
  if (!rollbarToken.isConfigured) return;
  exporter.backends.add(rollbar);
  const api = config.runtimeApi();
  if (api && !config.concurrentInvocations()) exporter.registerNow(api);
}
