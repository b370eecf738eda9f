/** What the service imports of `@throughline/telemetry`, as Powertools' documentation does it. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import type * as real from '@throughline/telemetry';

const tracer = new Tracer();
const metrics = new Metrics();

export const logger = new Logger();
/** For `middy(…).use()`. */
export const middlewares = [
  captureLambdaHandler(tracer),
  injectLambdaContext(logger),
  logMetrics(metrics, { captureColdStartMetric: true }),
];

export const telemetry = () => ({}) as ReturnType<typeof real.telemetry>;
export const configureTelemetry: typeof real.configureTelemetry = () => {};
export const requestEvent: typeof real.requestEvent = { set: () => {} };
export const reportFault: typeof real.reportFault = () => {};
export const reportMessage: typeof real.reportMessage = () => {};
export const currentTraceId: typeof real.currentTraceId = () => undefined;
export const traceClient: typeof real.traceClient = (client) => tracer.captureAWSv3Client(client);

export const count: typeof real.count = (name, value = 1) => {
  metrics.addMetric(name, MetricUnit.Count, value);
};

export const span: typeof real.span = async (name, work) => {
  const parent = tracer.getSegment();
  const subsegment = parent?.addNewSubsegment(`### ${name}`);
  if (subsegment) tracer.setSegment(subsegment);
  try {
    return await work({
      annotate: (key, value) => tracer.putAnnotation(key, value),
      metadata: (key, value) => tracer.putMetadata(key, value),
    });
  } catch (error) {
    tracer.addErrorAsMetadata(error as Error);
    throw error;
  } finally {
    subsegment?.close();
    if (parent) tracer.setSegment(parent);
  }
};
