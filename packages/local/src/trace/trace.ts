import type { InstrumentationContext, MetricDistribution, MetricRecord, SpanRecord } from './records.ts';
import type { MetricStatistics } from './statistics.ts';

/**
 * One trace as it is shown: X-Ray segments and OpenTelemetry spans in one tree, with the logs,
 * metrics and errors that carry its id. This is the JSON of `GET /api/traces/<id>` and of `sls
 * trace --json`. Times are epoch milliseconds with fractions, durations milliseconds.
 */
export interface Trace {
  /** 32 hex digits. */
  id: string;
  /** `1-<8 hex>-<24 hex>`. */
  xrayId: string;
  start: number;
  end: number;
  /** The caller's wait: the time until the answer, which may lie before `end`. */
  duration: number;
  /** Something in it has not ended yet. */
  inProgress: boolean;
  error: boolean;
  fault: boolean;
  throttle: boolean;
  /** Of the first segment that has them. */
  http?: { method?: string; url?: string; status?: number };
  user?: string;
  /** The version that served it: the event's `release`, else OpenTelemetry's `service.version`. */
  release?: string;
  coldStart: boolean;
  /** Nodes without a parent, and nodes whose parent has not arrived (`orphan`), by start time. */
  roots: TraceNode[];
  logs: TraceLog[];
  metrics: TraceMetric[];
  errors: TraceError[];
  /** How many records of a very large trace are not in here, by kind. */
  omitted?: { segments?: number; spans?: number; logs?: number; metrics?: number; errors?: number };
}

export interface TraceNode {
  id: string;
  parentId?: string;
  name: string;
  /**
   * segment, subsegment: from X-Ray; span: from OTLP alone. A node that both sent is one node with
   * both sources.
   */
  type: 'segment' | 'subsegment' | 'span';
  sources: ('xray' | 'otlp' | 'honeycomb')[];
  /** `AWS::Lambda::Function`, `AWS::ApiGateway::Stage`, … */
  origin?: string;
  namespace?: string;
  kind?: string;
  start: number;
  end?: number;
  duration?: number;
  inProgress: boolean;
  /** Its parent is named but not here. */
  orphan: boolean;
  error: boolean;
  fault: boolean;
  throttle: boolean;
  http?: {
    method?: string;
    url?: string;
    status?: number;
    contentLength?: number;
    userAgent?: string;
    clientIp?: string;
  };
  user?: string;
  /** `resource_arn` of a segment. */
  resourceArn?: string;
  /** `operation`, `table_name`, `region`, `request_id`, … */
  aws?: Record<string, unknown>;
  exceptions: { type?: string; message?: string; stack: StackFrame[] }[];
  /**
   * X-Ray's; in a node that both sent they may say what `attributes` says: each is as it was sent.
   */
  annotations: Record<string, unknown>;
  /** X-Ray's, by namespace. */
  metadata: Record<string, unknown>;
  /** OpenTelemetry's. */
  attributes: Record<string, unknown>;
  /** From here to `sampleRate`: what OpenTelemetry says of a span beside its attributes. */
  serviceName?: string;
  resource?: Record<string, unknown>;
  scopeName?: string;
  scopeVersion?: string;
  statusMessage?: string;
  /** Those that are no exceptions too; `time` in epoch milliseconds. */
  events?: { time: number; name: string; attributes: Record<string, unknown>; droppedAttributes?: number }[];
  links?: SpanRecord['links'];
  traceState?: string;
  flags?: number;
  /** How many of each are missing: left out by the sender, or over the receiver's limits. */
  dropped?: { attributes?: number; events?: number; links?: number };
  context?: InstrumentationContext;
  /** One span stands for so many; absent for 1. */
  sampleRate?: number;
  children: TraceNode[];
}

/**
 * A frame of a stack: in its source where a source map says so, or else as it was sent. Lines and
 * columns count from 1.
 */
export interface StackFrame {
  path?: string;
  line?: number;
  label?: string;
  /** Of the source alone. */
  column?: number;
  /** The source's line and its neighbours. */
  source?: { line: number; text: string }[];
}

export interface TraceLog {
  time: number;
  level?: string;
  message: string;
  spanId?: string;
  requestId?: string;
  logGroup: string;
  attributes?: Record<string, unknown>;
  /** From here on: what OTLP and Honeycomb say beside it. */
  serviceName?: string;
  eventName?: string;
  severityNumber?: number;
  /** Decimal digits of epoch nanoseconds. */
  timeNanoseconds?: string;
  observedNanoseconds?: string;
  /** The body where it is not a string. */
  body?: unknown;
  flags?: number;
  droppedAttributes?: number;
  resource?: Record<string, unknown>;
  scopeName?: string;
  scopeVersion?: string;
  context?: InstrumentationContext;
  sampleRate?: number;
}

export interface TraceMetric {
  time: number;
  namespace: string;
  name: string;
  unit: string;
  dimensions: Record<string, string>;
  /** The single measurements; none where only a distribution was sent. */
  values: number[];
  /** Of the values or of the distribution. */
  statistics: MetricStatistics;
  /** From here on: what the protocol says beside it. */
  type?: MetricRecord['type'];
  description?: string;
  temporality?: 'delta' | 'cumulative';
  monotonic?: boolean;
  startMilliseconds?: number;
  distribution?: MetricDistribution;
  exemplars?: MetricRecord['exemplars'];
  flags?: number;
  metadata?: Record<string, unknown>;
  serviceName?: string;
  resource?: Record<string, unknown>;
  scopeName?: string;
  scopeVersion?: string;
  context?: InstrumentationContext;
  storageResolution?: number;
}

export interface TraceError {
  time: number;
  uuid: string;
  level: string;
  title: string;
  fingerprint: string;
}

/** Input that a receiver refused or that the store could not keep, counted by reason. */
export interface Rejection {
  /** The receiver's name; `store` for rows that could not be written. */
  intake: string;
  reason: string;
  /** The latest case. */
  detail: string;
  count: number;
}

/** Records that belong to no trace. */
export interface Orphans {
  logs: TraceLog[];
  metrics: TraceMetric[];
  errors: TraceError[];
}

/** `GET /api/orphans`: records without a trace, and input that was refused. */
export interface OrphanReport extends Orphans {
  rejections: Rejection[];
}

/** A line of a list of traces: `GET /api/traces`. */
export interface TraceSummary {
  id: string;
  xrayId: string;
  start: number;
  duration: number;
  inProgress: boolean;
  error: boolean;
  fault: boolean;
  throttle: boolean;
  coldStart: boolean;
  method?: string;
  url?: string;
  status?: number;
  user?: string;
  release?: string;
  /** Why it failed, in a few words. */
  reason?: string;
}

/** @returns the nodes of a tree, each before its children, siblings by start time. */
export function* inOrder(roots: readonly TraceNode[]): Generator<TraceNode> {
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    for (let at = node.children.length - 1; at >= 0; at--) waiting.push(node.children[at] as TraceNode);
  }
}

/**
 * Finds the nodes that decide whether the whole trace failed: its root segment, as in X-Ray. Until
 * that arrives, the topmost segments; without any segment, every root.
 */
export function topNodes(roots: readonly TraceNode[]): TraceNode[] {
  const real = roots.filter(({ orphan }) => !orphan);
  const segments = (nodes: readonly TraceNode[]) => nodes.filter(({ type }) => type === 'segment');
  if (real.length > 0) return segments(real).length > 0 ? segments(real) : real;
  return segments(roots).length > 0 ? segments(roots) : [...roots];
}

/**
 * Tells whether a trace is known to be complete. Children arrive before their parents, so a node
 * without its parent may still wait for it, or wait forever where the parent reports elsewhere.
 */
export function isComplete(trace: Trace): boolean {
  if (trace.inProgress || trace.roots.length === 0) return false;
  return trace.roots.every((root) => !root.orphan);
}
