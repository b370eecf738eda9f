import type { IncomingHttpHeaders } from 'node:http';
import type { LocalService } from '../../service/model.ts';
import { localAccountId } from '../../service/read.ts';
import { parseTraceHeader, parseTraceparent, type TraceContext } from '../../trace/trace-header.ts';
import { newRoot } from '../../trace/trace-id.ts';
import type { InvokeResult, LambdaPlatform } from '../invocation/types.ts';
import { ApiError } from './api-error.ts';
import { findFunction, parseFunctionName } from './function-name.ts';

/** Lambda's limit for an event that nobody waits for, in bytes. */
const maximumAsynchronousBytes = 1024 * 1024;
const maximumLogBytes = 4096;

export interface InvokeCall {
  /** As it stands in the path, decoded. */
  functionName: string;
  /** The query parameter `Qualifier`. */
  qualifier: string | undefined;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Aborts when the caller's connection has closed. */
  signal: AbortSignal;
}

export interface InvokeAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Lambda's `Invoke`: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * @throws {ApiError} for what Lambda refuses before it invokes anything.
 */
export async function invoke(service: LocalService, platform: LambdaPlatform, call: InvokeCall): Promise<InvokeAnswer> {
  const lambda = functionOf(service, call);
  const type = header(call, 'x-amz-invocation-type') || 'RequestResponse';
  const logType = header(call, 'x-amz-log-type') || 'None';
  if (!['RequestResponse', 'Event', 'DryRun'].includes(type)) throw invalid('invocationType', type);
  if (!['None', 'Tail'].includes(logType)) throw invalid('logType', logType);
  const payload = payloadOf(call.body);
  const clientContext = clientContextOf(call);
  if (type === 'DryRun') return { status: 204, headers: {}, body: '' };
  const request = { payload, trace: traceOf(call), ...(clientContext !== undefined && { clientContext }) };
  if (type === 'Event') {
    if (call.body.length > maximumAsynchronousBytes) throw tooLarge(maximumAsynchronousBytes);
    // Lambda keeps such an event and answers for it; here it runs as soon as the function has an
    // environment.
    void platform.invoke(lambda.key, request);
    return { status: 202, headers: {}, body: '' };
  }
  const isTail = logType === 'Tail';
  const result = await platform.invoke(lambda.key, { ...request, tail: isTail, signal: call.signal });
  const { root, sampled } = request.trace;
  return answerOf(result, `Root=${root};Sampled=${sampled ? 1 : 0}`);
}

function answerOf({ error, payload, log, requestId }: InvokeResult, traceHeader: string): InvokeAnswer {
  if (error?.kind === 'throttled') {
    throw new ApiError(429, 'TooManyRequestsException', error.message, {
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
  }
  if (error?.kind === 'request-too-large') throw new ApiError(413, 'RequestTooLargeException', error.message);
  return {
    status: 200,
    headers: {
      'x-amzn-RequestId': requestId,
      'X-Amzn-Trace-Id': traceHeader,
      'X-Amz-Executed-Version': '$LATEST',
      'Content-Type': 'application/json',
      ...(error && { 'X-Amz-Function-Error': 'Unhandled' }),
      ...(log !== undefined && { 'X-Amz-Log-Result': lastBytes(log).toString('base64') }),
    },
    body: payload,
  };
}

function functionOf({ region, functions }: LocalService, { functionName, qualifier }: InvokeCall) {
  const parsed = parseFunctionName(functionName);
  if (!parsed) throw invalid('functionName', functionName);
  if (parsed.qualifier !== undefined && qualifier !== undefined && parsed.qualifier !== qualifier) {
    const message = 'The derived qualifier from the function name does not match the specified qualifier.';
    throw new ApiError(400, 'InvalidParameterValueException', message);
  }
  const version = parsed.qualifier ?? qualifier ?? '$LATEST';
  const lambda = findFunction(functions, parsed.name);
  if (lambda && version === '$LATEST') return lambda;
  const arn = `arn:aws:lambda:${region}:${localAccountId}:function:${parsed.name}`;
  const suffix = version === '$LATEST' ? '' : `:${version}`;
  throw new ApiError(404, 'ResourceNotFoundException', `Function not found: ${arn}${suffix}`);
}

function payloadOf(body: Buffer): string {
  if (body.length === 0) return '{}';
  const text = body.toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new ApiError(400, 'InvalidRequestContentException', message);
  }
}

function clientContextOf(call: InvokeCall): string | undefined {
  const encoded = header(call, 'x-amz-client-context');
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  try {
    // It goes on as a header, which takes neither line ends nor anything beyond ASCII.
    return JSON.stringify(JSON.parse(text)).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  } catch {
    const message = 'Client context must be a valid Base64-encoded JSON object.';
    throw new ApiError(400, 'InvalidRequestContentException', message);
  }
}

/** A caller that is traced goes on with its trace; everyone else begins one, which is kept. */
function traceOf(call: InvokeCall): TraceContext {
  const incoming = parseTraceHeader(header(call, 'x-amzn-trace-id')) ?? parseTraceparent(header(call, 'traceparent'));
  if (!incoming) return { root: newRoot(), sampled: true };
  return { ...incoming, sampled: incoming.sampled ?? true };
}

function header({ headers }: InvokeCall, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function invalid(name: string, value: string): ApiError {
  const message = `Value '${value.slice(0, 200)}' at '${name}' is not valid for Invoke.`;
  return new ApiError(400, 'InvalidParameterValueException', message);
}

export function tooLarge(bytes: number): ApiError {
  const message = `Request must be smaller than ${bytes} bytes for the InvokeFunction operation`;
  return new ApiError(413, 'RequestTooLargeException', message);
}

function lastBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  return bytes.subarray(Math.max(0, bytes.length - maximumLogBytes));
}
