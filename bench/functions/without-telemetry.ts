/** What the service imports of `@throughline/telemetry`, doing nothing. */
import type * as real from '@throughline/telemetry';

const nothing = () => {};

export const telemetry = () => ({}) as ReturnType<typeof real.telemetry>;
export const configureTelemetry: typeof real.configureTelemetry = nothing;
export const span: typeof real.span = async (_name, work) => work({ annotate: nothing, metadata: nothing });
export const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
export const requestEvent: typeof real.requestEvent = { set: nothing };
export const count: typeof real.count = nothing;
export const reportFault: typeof real.reportFault = nothing;
export const reportMessage: typeof real.reportMessage = nothing;
export const currentTraceId: typeof real.currentTraceId = () => undefined;
export const traceClient: typeof real.traceClient = (client) => client;
