import { type SegmentCause, type SegmentDocument, untracedMark } from '../../trace/records.ts';
import { newSegmentId } from '../../trace/trace-id.ts';
import type { Invocation } from './invocation.ts';

/** Why an invocation failed, as X-Ray is told. */
export interface Failure {
  type: string;
  message: string;
  /**
   * As the runtime sent it in `Lambda-Runtime-Function-XRay-Error-Cause`; without it, type and
   * message alone.
   */
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
    ...(invocation.untracedOnAws && { metadata: untracedMark }),
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

/**
 * The segment of the function in the newer layout: no `Invocation`, an `Init` when cold, what the
 * function sends hangs right below it.
 */
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
    ...(invocation.untracedOnAws && { metadata: untracedMark }),
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

const maximumMessage = 2000;

function faultOf(failure: Failure | undefined): Partial<SegmentDocument> {
  if (!failure) return {};
  const plain = {
    exceptions: [
      { id: newSegmentId(), type: failure.type, message: failure.message.slice(0, maximumMessage), stack: [] },
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
