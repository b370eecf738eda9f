import type { IncomingHttpHeaders } from 'node:http';
import type { HttpError } from '../http/http-error.ts';
import type { TelemetrySink } from '../trace/records.ts';

/**
 * Limits of one request. Each one bounds something that a receiver keeps, inflates or descends
 * into.
 */
export interface ReceiverLimits {
  /** Of a body, as it was sent and again when it is inflated. */
  bodyBytes: number;
  /** Levels of nesting, in JSON and in protobuf. */
  depth: number;
  /**
   * Objects, arrays and messages in one body: a few bytes each on the wire, a hundred in memory.
   */
  objects: number;
  /** Spans, log records, data points or events in one body; the first ones are taken. */
  records: number;
  /** Attributes of one span, event, link, log record or data point; the first ones are taken. */
  attributes: number;
  /** From a request's first byte to its last. */
  requestMilliseconds: number;
  connections: number;
}

export const defaultLimits: ReceiverLimits = {
  bodyBytes: 20_000_000,
  depth: 100,
  objects: 2_000_000,
  records: 100_000,
  attributes: 1_000,
  requestMilliseconds: 10_000,
  connections: 256,
};

export interface ReceiverRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** Without its question mark; empty where there is none. */
  query: string;
  headers: IncomingHttpHeaders;
  /**
   * Reads and inflates the body, of at most `maximumBytes` or what the limits say.
   * @throws HttpError 400 (does not inflate), 413 (too large), 415 (unknown encoding)
   */
  body(maximumBytes?: number): Promise<Buffer>;
}

export interface ReceiverAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** One protocol on the port that all receivers share. */
export interface Receiver {
  /** As it is named in `TelemetrySink.rejected`. */
  name: string;
  handles(request: ReceiverRequest): boolean;
  /** @throws {HttpError} when the request as a whole is refused */
  answer(request: ReceiverRequest): Promise<ReceiverAnswer>;
  /** @returns an error in the protocol's own form. */
  refuse(error: HttpError, request: ReceiverRequest): ReceiverAnswer;
}

/** Makes a receiver that hands what it has read to `sink`. */
export type ReceiverFactory = (sink: TelemetrySink, limits: ReceiverLimits) => Receiver;

/**
 * @returns the media type of the body without its parameters, in lower case; empty without a
 * Content-Type.
 */
export function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @returns an answer whose body is `value` as JSON. */
export function json(status: number, value: unknown, type = 'application/json'): ReceiverAnswer {
  return { status, headers: { 'content-type': type }, body: JSON.stringify(value) };
}
