import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span as OtelSpan } from '@opentelemetry/api-1.9';
import type { Segment, Subsegment } from 'aws-xray-sdk-core';
import type { HttpEvent, HttpResponse } from './http-event.ts';

/** How a request ended. */
export interface RequestEnd {
  /** `performance.now()` at the request's start. */
  started: number;
  response: HttpResponse | undefined;
  /** The thrown value, which may be `undefined` too. */
  thrown: { value: unknown } | undefined;
  timedOut?: true;
}

/** Finds what the caller sent in confidence. */
export interface SecretFinder {
  /** @returns where secrets stand in `text`, by their start; `open` is not one of them. */
  find(text: string, open?: string): [start: number, end: number][];
}

/**
 * The X-Ray half of a span. Its SDK's `add…` methods and `close` write both halves; `write…` writes
 * this one alone.
 */
export interface SpanSubsegment extends Subsegment {
  writeAnnotation(key: string, value: string | number | boolean): void;
  writeMetadata(key: string, value: unknown, namespace?: string): void;
  writeError(error: Error): void;
  writeEnd(): void;
}

/** A span that has begun: its X-Ray half, its OpenTelemetry half, or both. */
export interface ActiveSpan {
  readonly name: string;
  /** 16 hex digits: the same in both. */
  readonly id: string;
  readonly parent: ActiveSpan | undefined;
  readonly subsegment: SpanSubsegment | undefined;
  readonly otel: OtelSpan;
  /** What OpenTelemetry's children of this span are started in. */
  readonly context: Context;
  /** Powertools' tracer has opened it, so that it is not OpenTelemetry's current span. */
  readonly byPowertools: boolean;
  /** Why it failed, for OpenTelemetry's status. */
  reason?: string;
  ended: boolean;
}

/** A handler's own Powertools `Metrics`. */
export interface StoredMetrics {
  hasStoredMetrics(): boolean;
  publishStoredMetrics(): unknown;
}

/**
 * The state of one request. It lives in the request's own asynchronous context: concurrent requests
 * never share one.
 */
export interface RequestState {
  /** 32 hex digits. */
  traceId: string;
  /** The same as `1-<8 hex>-<24 hex>`. */
  readonly xrayId: () => string;
  /** Whether X-Ray samples this request; otherwise nothing goes to its daemon. */
  readonly sampled: boolean;
  /**
   * Stands for the `AWS::Lambda::Function` segment, which Lambda itself sends; absent where X-Ray
   * is off.
   */
  readonly segment: Segment | undefined;
  root: ActiveSpan | undefined;
  /** Spans that have begun and not ended, in the order in which they began. */
  readonly open: Set<ActiveSpan>;
  /** Epoch milliseconds at which Lambda kills the function; absent outside Lambda. */
  readonly deadline: number | undefined;
  readonly requestId: string | undefined;
  readonly coldStart: boolean;
  readonly fields: Map<string, unknown>;
  /**
   * The caller, by the name that the service knows; not secret, even if the caller sends it as a
   * value.
   */
  user: string | undefined;
  readonly counts: Map<string, number>;
  /** The handler's own metrics, published at the end if it has not done so. */
  readonly metrics: Set<StoredMetrics>;
  /** @returns the span that Powertools' tracer is in, where that is below the known one. */
  readonly innermost: (known: ActiveSpan | undefined) => ActiveSpan | undefined;
  readonly database: { calls: number; milliseconds: number };
  /**
   * The caller's secrets: see redaction/request-secrets.ts. Listed on first use.
   */
  secrets: () => SecretFinder;
  /** The event, if it is an HTTP event. Nothing of it is shown before redaction. */
  readonly http: HttpEvent | undefined;
  /** Faults that have been reported: each is reported once, however often it is caught. */
  readonly reported: Set<unknown>;
  /** The root hangs below a span that another instrumentation has begun. */
  readonly isBelowForeignSpan: boolean;
  ended: boolean;
}

interface Scope {
  readonly request: RequestState;
  readonly span: ActiveSpan | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();

/** @returns the request that the calling code belongs to, unless it has been answered. */
export function currentRequest(): RequestState | undefined {
  const request = scopes.getStore()?.request;
  return request?.ended ? undefined : request;
}

/**
 * @returns the request that started the calling code, even if it has been answered: late output
 * belongs to it too.
 */
export function requestAround(): RequestState | undefined {
  return scopes.getStore()?.request;
}

/** @returns the innermost span around the calling code. */
export function currentSpan(): ActiveSpan | undefined {
  const scope = scopes.getStore();
  return scope?.request.innermost(scope.span);
}

/** Runs `work` as a part of `request`, inside `span`. */
export function runIn<T>(request: RequestState, span: ActiveSpan | undefined, work: () => T): T {
  return scopes.run({ request, span }, work);
}
