/** The face of `@throughline/telemetry`: the only file that others import. */

// Before anything that loads the X-Ray SDK.
import './context/install-storage-namespaces.ts';

export { type AwsClient, traceClient } from './calls/aws-sdk.ts';
export { configureTelemetry, type TelemetryConfiguration } from './config.ts';
export { currentTraceId } from './context/trace-id.ts';
export { type FaultDetails, reportFault, reportMessage } from './errors/error-reporting.ts';
export type { RollbarLevel } from './errors/rollbar-item.ts';
export { type TelemetryOptions, telemetry } from './middleware.ts';
export type { AnnotationValue } from './redaction/sanitize.ts';
export { logger } from './signals/logger.ts';
export { count } from './signals/metrics.ts';
export { type Span, span } from './signals/span.ts';
export { requestEvent } from './signals/wide-event.ts';
