import { config } from '../config.ts';
import { requestAround } from '../context/request-context.ts';
import { currentTraceId, toXrayId } from '../context/trace-id.ts';
import { sharedExporter } from '../export/exporter.ts';
import { quietly } from '../quietly.ts';
import { redactText } from '../redaction/redact.ts';
import { sanitize } from '../redaction/sanitize.ts';
import { shownRequest } from '../redaction/shown-request.ts';
import { causesOf, type DescribedError, describeError } from './describe-error.ts';
import { statusOf } from './outcome.ts';
import { type Report, rollbar, rollbarToken } from './rollbar.ts';
import { beginItem, type RollbarLevel } from './rollbar-item.ts';

/** Details of a fault beyond those of its request. */
export interface FaultDetails {
  [key: string]: unknown;
}

/**
 * Reports an unexpected error to Rollbar, once however often it is caught; it is sent after the
 * answer. An error with a 4xx status is the caller's mistake and is not reported. Does nothing
 * without a token; never throws.
 */
export function reportFault(error: unknown, details: FaultDetails = {}): void {
  quietly(() => {
    const status = statusOf(error);
    if (status !== undefined && status < 500) return;
    report(error, details);
  });
}

/**
 * Reports the error behind a 5xx answer. A 4xx status on it is somebody else's, such as a back
 * end's answer that nobody caught: otherwise the answer would be 4xx too.
 */
export function reportFailure(error: unknown): void {
  report(error, {});
}

function report(error: unknown, details: FaultDetails): void {
  const reported = requestAround()?.reported;
  if (reported?.has(error)) return;
  reported?.add(error);
  send(reportOf('error', { error: describeError(error), details }));
}

/** Builds the report of a fault that may follow, as far as possible. */
export function prepareReport(error: Error): void {
  if (rollbarToken.isConfigured) beginItem(describeError(error));
}

/** Reports a message to Rollbar, under the same conditions. */
export function reportMessage(level: RollbarLevel, message: string): void {
  quietly(() => send(reportOf(level, { message: redactText(String(message)) })));
}

function send(report: Report): void {
  if (!rollbarToken.isConfigured) return;
  sharedExporter().queue.add({ backend: rollbar, payload: report, count: 1, size: sizeOf(report) });
}

/** Weighs the parts that can be long: an error's causes are most of it. */
function sizeOf({ error, custom }: Report): number {
  let size = JSON.stringify(custom).length;
  for (const { message, stack = '' } of error ? causesOf(error) : []) size += message.length + stack.length;
  return size;
}

interface Subject {
  error?: DescribedError;
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
      ...(sanitize(details) as Record<string, unknown>),
      ...(traceId ? { trace_id: traceId, xray_trace_id: toXrayId(traceId), trace_url: traceUrl(traceId) } : {}),
      ...(request?.requestId ? { function_request_id: request.requestId } : {}),
      function_name: config.functionName(),
      release: config.release(),
    },
  };
}

/** @returns the link from an item to its trace: `TRACE_URL`, else X-Ray in the AWS console. */
function traceUrl(traceId: string): string {
  const region = config.region() ?? 'us-east-1';
  const template =
    config.traceUrl() ??
    `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#xray:traces/{xray_id}`;
  return template.replaceAll('{trace_id}', traceId).replaceAll('{xray_id}', toXrayId(traceId));
}
