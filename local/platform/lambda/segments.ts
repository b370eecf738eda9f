import type { SegmentCause, SegmentDocument } from '../../store/records.ts';
import { newSegmentId } from '../trace-context.ts';
import type { Invocation } from './invocation.ts';

/** Why an invocation failed, as X-Ray is told. */
export interface Failure {
  type: string;
  message: string;
  /** As the runtime sent it in `Lambda-Runtime-Function-XRay-Error-Cause`; without it, type and message alone. */
  cause?: SegmentCause;
}

/** The four phases after the event was handed over, milliseconds. */
export interface Phases {
  responseLatency: number;
  responseDuration: number;
  runtimeOverhead: number;
  extensionOverhead: number;
}

/** Times in epoch milliseconds. */
export interface LambdaSegment {
  invocation: Invocation;
  /** Absent: in progress. */
  endedAt?: number;
  /** What Lambda answers its caller with: 200 also when the function failed. */
  status?: number;
}

/**
 * The segment of Lambda itself, from the arrival of the request to the answer.
 * Fields as in AWS's own: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
 */
export function lambdaSegment({ invocation, endedAt, status }: LambdaSegment): SegmentDocument {
  return {
    id: invocation.lambdaSegmentId,
    name: invocation.functionName,
    trace_id: invocation.trace.root,
    ...(invocation.trace.parent && { parent_id: invocation.trace.parent }),
    start_time: seconds(invocation.receivedAt),
    ...ending(endedAt),
    ...(status !== undefined && { http: { response: { status } } }),
    ...(status !== undefined && status >= 400 && { error: true }),
    ...(status === 429 && { throttle: true }),
    aws: { request_id: invocation.requestId },
    origin: 'AWS::Lambda',
    resource_arn: invocation.functionArn,
  };
}

/** Times in epoch milliseconds. */
export interface FunctionSegment {
  invocation: Invocation;
  accountId: string;
  logGroup: string;
  startedAt: number;
  endedAt?: number;
  /** Of a cold start. */
  init?: { id: string; startedAt: number; endedAt: number; failure?: Failure };
  phases?: Phases;
  failure?: Failure;
}

/** The segment of the function in the newer layout: no `Invocation`, an `Init` when cold, what the function sends hangs right below it. */
export function functionSegment(input: FunctionSegment): SegmentDocument {
  const { invocation, init, phases, failure } = input;
  return {
    id: invocation.functionSegmentId,
    name: invocation.functionName,
    trace_id: invocation.trace.root,
    parent_id: invocation.lambdaSegmentId,
    start_time: seconds(init ? Math.min(init.startedAt, input.startedAt) : input.startedAt),
    ...ending(input.endedAt),
    ...faultOf(failure),
    aws: {
      account_id: input.accountId,
      function_arn: invocation.functionArn,
      resource_names: [invocation.functionName],
      request_id: invocation.requestId,
      cloudwatch_logs: [{ log_group: input.logGroup }],
    },
    origin: 'AWS::Lambda::Function',
    resource_arn: invocation.functionArn,
    ...(phases && {
      annotations: {
        'aws.responseLatency': round(phases.responseLatency),
        'aws.responseDuration': round(phases.responseDuration),
        'aws.runtimeOverhead': round(phases.runtimeOverhead),
        'aws.extensionOverhead': round(phases.extensionOverhead),
      },
    }),
    ...(init && {
      subsegments: [
        {
          id: init.id,
          name: 'Init',
          start_time: seconds(init.startedAt),
          end_time: seconds(init.endedAt),
          ...faultOf(init.failure),
        },
      ],
    }),
  };
}

/** A document must stay below 64 KB; the cause may have half of it. */
const MAXIMUM_CAUSE_BYTES = 32 * 1024;
const MAXIMUM_TEXT = 2000;
const MAXIMUM_NAME = 250;

/**
 * Reads the X-Ray cause of an error from its header.
 * @returns the cause with what is of a wrong type or beyond X-Ray's sizes left out; undefined where nothing of it can be read.
 */
export function parseCause(header: string | undefined): SegmentCause | undefined {
  if (!header) return undefined;
  let document: unknown;
  try {
    // Node reads headers as Latin-1; AWS's client writes them as UTF-8.
    document = JSON.parse(Buffer.from(header, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(document)) return undefined;
  const whole = causeOf(document, { exceptions: 10, frames: 50 });
  if (Buffer.byteLength(JSON.stringify(whole)) <= MAXIMUM_CAUSE_BYTES) return whole;
  return causeOf(document, { exceptions: 1, frames: 10 });
}

function causeOf(document: Record<string, unknown>, limit: { exceptions: number; frames: number }): SegmentCause {
  const { working_directory: directory, paths } = document;
  return {
    ...(typeof directory === 'string' && { working_directory: directory.slice(0, MAXIMUM_NAME) }),
    ...(Array.isArray(paths) && {
      paths: paths
        .filter((path) => typeof path === 'string')
        .slice(0, limit.frames)
        .map((path) => path.slice(0, MAXIMUM_NAME)),
    }),
    exceptions: objectsIn(document['exceptions'], limit.exceptions).map(({ type, message, stack }) => ({
      id: newSegmentId(),
      ...(typeof type === 'string' && { type: type.slice(0, MAXIMUM_NAME) }),
      ...(typeof message === 'string' && { message: message.slice(0, MAXIMUM_TEXT) }),
      stack: objectsIn(stack, limit.frames).map(({ path, line, label }) => ({
        ...(typeof path === 'string' && { path: path.slice(0, MAXIMUM_NAME) }),
        ...(typeof line === 'number' && { line }),
        ...(typeof label === 'string' && { label: label.slice(0, MAXIMUM_NAME) }),
      })),
    })),
  };
}

function objectsIn(value: unknown, most: number): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject).slice(0, most) : [];
}

function faultOf(failure: Failure | undefined): Partial<SegmentDocument> {
  if (!failure) return {};
  const plain = {
    exceptions: [
      { id: newSegmentId(), type: failure.type, message: failure.message.slice(0, MAXIMUM_TEXT), stack: [] },
    ],
  };
  return { fault: true, cause: failure.cause?.exceptions?.length ? failure.cause : plain };
}

function ending(endedAt: number | undefined): { end_time: number } | { in_progress: true } {
  return endedAt === undefined ? { in_progress: true } : { end_time: seconds(endedAt) };
}

function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
