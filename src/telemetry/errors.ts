import { config } from '../config.ts';
import { shownRequest } from './http-event.ts';
import { toPlain } from './plain.ts';
import { redactText } from './redaction.ts';
import { requestAround } from './request.ts';
import { type Report, rollbar } from './rollbar.ts';
import { beginItem, type RollbarLevel } from './rollbar-notifier.ts';
import { sharedShipper } from './shipping.ts';
import { quietly, redactedError, statusOf } from './span.ts';
import { currentTraceId, toXrayId } from './trace-id.ts';

/** What can be said of a fault beyond what the request tells. */
export interface FaultDetails {
  [key: string]: unknown;
}

/**
 * Reports an unexpected error to Rollbar, once however often it is caught; it is sent after the answer. What carries a 4xx status is the
 * caller's mistake and is not reported. Does nothing without `ROLLBAR_ACCESS_TOKEN`; never throws.
 */
export function reportFault(error: unknown, details: FaultDetails = {}): void {
  quietly(() => {
    const status = statusOf(error);
    if (status !== undefined && status < 500) return;
    report(error, details);
  });
}

/**
 * Reports what a request was answered 5xx for, under the same conditions but for one: a 4xx that the error carries is somebody else's,
 * such as a back end's answer that nobody caught, or the answer would be 4xx too.
 */
export function reportFailure(error: unknown): void {
  quietly(() => report(error, {}));
}

function report(error: unknown, details: FaultDetails): void {
  const reported = requestAround()?.reported;
  if (reported?.has(error)) return;
  reported?.add(error);
  send(reportOf('error', { error: redactedError(error), details }));
}

/** Makes what can be made of the report of a fault that may be to come. */
export function prepareReport(error: Error): void {
  if (config.rollbarAccessToken()) beginItem(redactedError(error));
}

/** Reports a message to Rollbar, under the same conditions. */
export function reportMessage(level: RollbarLevel, message: string): void {
  quietly(() => send(reportOf(level, { message: redactText(String(message)) })));
}

function send(report: Report): void {
  if (!config.rollbarAccessToken()) return;
  sharedShipper().add({ destination: rollbar, payload: report, count: 1, size: sizeOf(report) });
}

/** The parts that can be long; of an error that has causes, theirs are most of it. */
function sizeOf({ error, custom }: Report): number {
  let size = JSON.stringify(custom).length;
  // The report's error is a copy whose causes have an end.
  for (let link: unknown = error; link instanceof Error; link = link.cause) {
    size += link.message.length + (link.stack?.length ?? 0);
  }
  return size;
}

interface Subject {
  error?: Error;
  message?: string;
  details?: FaultDetails;
}

function reportOf(level: RollbarLevel, { error, message, details = {} }: Subject): Report {
  const request = requestAround();
  const traceId = currentTraceId();
  const user = request?.fields.get('user');
  const route = request?.fields.get('route');
  const http = request?.http;
  return {
    level,
    error,
    message,
    timestamp: Math.round(Date.now() / 1000),
    context: route ? `${http?.httpMethod ?? ''} ${route}`.trim() : undefined,
    person: user ? { id: String(user), username: String(user) } : undefined,
    request: http ? { method: http.httpMethod ?? '', ...shownRequest(http) } : undefined,
    custom: {
      ...(toPlain(details) as Record<string, unknown>),
      ...(traceId ? { trace_id: traceId, xray_trace_id: toXrayId(traceId), trace_url: traceUrl(traceId) } : {}),
      ...(request?.requestId ? { function_request_id: request.requestId } : {}),
      function_name: config.functionName(),
      release: config.release(),
    },
  };
}

/** The way from an item to its trace: `TRACE_URL`, else X-Ray in the AWS console. */
function traceUrl(traceId: string): string {
  const region = config.region() ?? 'us-east-1';
  const template =
    config.traceUrl() ??
    `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#xray:traces/{xray_id}`;
  return template.replaceAll('{trace_id}', traceId).replaceAll('{xray_id}', toXrayId(traceId));
}
