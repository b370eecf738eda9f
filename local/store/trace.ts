/**
 * One trace as it is shown: X-Ray segments and OpenTelemetry spans in one tree, with the logs, metrics and errors that carry its id.
 * This is the JSON of `GET /api/traces/<id>` and of `sls trace --json`. Times are epoch milliseconds with fractions, durations milliseconds.
 */
export interface Trace {
  /** 32 hex digits. */
  id: string;
  /** `1-<8 hex>-<24 hex>`. */
  xrayId: string;
  start: number;
  end: number;
  duration: number;
  /** Something in it has not ended yet. */
  inProgress: boolean;
  error: boolean;
  fault: boolean;
  throttle: boolean;
  /** Of the first segment that has them. */
  http?: { method?: string; url?: string; status?: number };
  user?: string;
  coldStart: boolean;
  /** Nodes without a parent, and nodes whose parent has not arrived (`orphan`), by start time. */
  roots: TraceNode[];
  logs: TraceLog[];
  metrics: TraceMetric[];
  errors: TraceError[];
}

export interface TraceNode {
  id: string;
  parentId?: string;
  name: string;
  /** segment, subsegment: from X-Ray; span: from OTLP alone. A node that both sent is one node with both sources. */
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
  exceptions: { type?: string; message?: string; stack: { path?: string; line?: number; label?: string }[] }[];
  /** X-Ray's; in a node that both sent they may say what `attributes` says: each is as it was sent. */
  annotations: Record<string, unknown>;
  /** X-Ray's, by namespace. */
  metadata: Record<string, unknown>;
  /** OpenTelemetry's. */
  attributes: Record<string, unknown>;
  children: TraceNode[];
}

export interface TraceLog {
  time: number;
  level?: string;
  message: string;
  spanId?: string;
  requestId?: string;
  logGroup: string;
  attributes?: Record<string, unknown>;
}

export interface TraceMetric {
  time: number;
  namespace: string;
  name: string;
  unit: string;
  dimensions: Record<string, string>;
  values: number[];
}

export interface TraceError {
  time: number;
  uuid: string;
  level: string;
  title: string;
  fingerprint: string;
}

/** What was received and belongs to no trace: `GET /api/orphans`. */
export interface Orphans {
  logs: TraceLog[];
  metrics: TraceMetric[];
  errors: TraceError[];
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
}
