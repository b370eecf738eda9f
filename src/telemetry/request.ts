import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span as OtelSpan } from '@opentelemetry/api-1.9';
import type { Segment, Subsegment } from 'aws-xray-sdk-core';
import type { HttpEvent } from './http-event.ts';

/** A span that has begun: its X-Ray half, its OpenTelemetry half, or both. */
export interface ActiveSpan {
  readonly name: string;
  /** 16 hex digits: the same in both. */
  readonly id: string;
  readonly subsegment: Subsegment | undefined;
  readonly otel: OtelSpan;
  /** What OpenTelemetry's children of this span are started in. */
  readonly context: Context;
  ended: boolean;
}

/** What is known of one request. It lives in the request's own asynchronous context: concurrent requests never share one. */
export interface RequestState {
  /** 32 hex digits. */
  traceId: string;
  /** The same as `1-<8 hex>-<24 hex>`. */
  readonly xrayId: () => string;
  /** Whether X-Ray samples this request; nothing goes to its daemon otherwise. */
  readonly sampled: boolean;
  /** Stands for the `AWS::Lambda::Function` segment, which Lambda itself sends. */
  readonly segment: Segment | undefined;
  root: ActiveSpan | undefined;
  /** Begun and not ended, in the order in which they began. */
  readonly open: Set<ActiveSpan>;
  /** Epoch milliseconds at which Lambda kills the function; absent outside Lambda. */
  readonly deadline: number | undefined;
  readonly requestId: string | undefined;
  readonly coldStart: boolean;
  readonly fields: Map<string, unknown>;
  /** Who asks, by the name that the service knows them by; no secret, even if the caller sends it as one. */
  user: string | undefined;
  readonly counts: Map<string, number>;
  readonly database: { calls: number; milliseconds: number };
  /** What the caller sent and nobody else may see: see secrets.ts. Found out when first asked for. */
  readonly secrets: () => readonly string[];
  /** The event, where it is one of HTTP. Nothing of it is shown before redaction. */
  readonly http: HttpEvent | undefined;
  /** Faults that have been reported; one is reported once however often it is caught. */
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

/** @returns the request that the calling code was begun by, also when that has been answered: what is written late is of it all the same. */
export function requestAround(): RequestState | undefined {
  return scopes.getStore()?.request;
}

/** @returns the innermost span around the calling code. */
export function currentSpan(): ActiveSpan | undefined {
  return scopes.getStore()?.span;
}

/** Runs `work` as a part of `request`, inside `span`. */
export function runIn<T>(request: RequestState, span: ActiveSpan | undefined, work: () => T): T {
  return scopes.run({ request, span }, work);
}
