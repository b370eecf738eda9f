/**
 * The records that receivers hand to the store: one type per signal. Each receiver keeps its wire
 * types to itself. A trace id is always the 32 lower-case hex digits; a span or segment id the 16.
 * Nanoseconds since the epoch are BigInt: they exceed 2^53.
 */
export type AttributeValue =
  | string
  | number
  | boolean
  | bigint
  | AttributeValue[]
  | { [key: string]: AttributeValue }
  | null;

/**
 * An X-Ray segment or subsegment document as it was sent; the fields that are read here, anything
 * else is kept as it is.
 */
export interface SegmentDocument {
  name: string;
  /** 16 hex digits. */
  id: string;
  /** `1-<8 hex>-<24 hex>`; absent in an embedded subsegment. */
  trace_id?: string;
  parent_id?: string;
  /** Epoch seconds. */
  start_time: number;
  /** Epoch seconds; absent while in progress. */
  end_time?: number;
  in_progress?: boolean;
  type?: 'subsegment';
  namespace?: 'aws' | 'remote' | string;
  origin?: string;
  user?: string;
  error?: boolean;
  fault?: boolean;
  throttle?: boolean;
  cause?: SegmentCause | string;
  http?: {
    request?: {
      method?: string;
      url?: string;
      user_agent?: string;
      client_ip?: string;
      x_forwarded_for?: boolean;
      traced?: boolean;
    };
    response?: { status?: number; content_length?: number };
  };
  aws?: Record<string, unknown>;
  service?: { version?: string; [key: string]: unknown };
  annotations?: Record<string, string | number | boolean>;
  metadata?: Record<string, Record<string, unknown>>;
  subsegments?: SegmentDocument[];
  precursor_ids?: string[];
  [key: string]: unknown;
}

export interface SegmentCause {
  working_directory?: string;
  paths?: string[];
  exceptions?: {
    id?: string;
    message?: string;
    type?: string;
    remote?: boolean;
    truncated?: number;
    skipped?: number;
    cause?: string;
    stack?: { path?: string; line?: number; label?: string }[];
  }[];
}

/** An OpenTelemetry span, from OTLP or as a Honeycomb event. */
export interface SpanRecord {
  source: 'otlp' | 'honeycomb';
  traceId: string;
  spanId: string;
  parentId?: string;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer' | 'unspecified';
  startNanoseconds: bigint;
  endNanoseconds: bigint;
  status: 'unset' | 'ok' | 'error';
  statusMessage?: string;
  serviceName: string;
  scopeName?: string;
  scopeVersion?: string;
  traceState?: string;
  attributes: Record<string, AttributeValue>;
  resource: Record<string, AttributeValue>;
  events: {
    timeNanoseconds: bigint;
    name: string;
    attributes: Record<string, AttributeValue>;
    droppedAttributes?: number;
  }[];
  links: {
    traceId: string;
    spanId: string;
    attributes: Record<string, AttributeValue>;
    traceState?: string;
    flags?: number;
    droppedAttributes?: number;
  }[];
  /** One span stands for so many; 1 when nothing was sampled away. */
  sampleRate: number;
  /** W3C trace flags and whether the parent is remote, as OTLP has them. */
  flags?: number;
  /** How many of each are missing: left out by the sender, or over the limits of the receiver. */
  dropped?: { attributes?: number; events?: number; links?: number };
  context?: InstrumentationContext;
}

/**
 * What OTLP says of a whole batch, beyond the resource's attributes and the scope's name and
 * version.
 */
export interface InstrumentationContext {
  resourceSchemaUrl?: string;
  schemaUrl?: string;
  scopeAttributes?: Record<string, AttributeValue>;
  droppedResourceAttributes?: number;
  droppedScopeAttributes?: number;
}

export interface LogRecord {
  /**
   * function: a line that a function or the platform wrote; cloudwatch: PutLogEvents; otlp: an OTLP
   * log record; honeycomb: an event that is not a span.
   */
  source: 'function' | 'cloudwatch' | 'otlp' | 'honeycomb';
  /** Epoch milliseconds. */
  timeMilliseconds: number;
  logGroup: string;
  logStream: string;
  /** The line as it was written, without its line end. */
  message: string;
  traceId?: string;
  spanId?: string;
  requestId?: string;
  level?: string;
  functionName?: string;
  attributes?: Record<string, AttributeValue>;
  /** From here on: OTLP's, and `serviceName` and `sampleRate` Honeycomb's too. */
  serviceName?: string;
  timeNanoseconds?: bigint;
  observedNanoseconds?: bigint;
  severityNumber?: number;
  eventName?: string;
  /** The body if it is not a string; `message` is then its JSON. */
  body?: AttributeValue;
  flags?: number;
  droppedAttributes?: number;
  resource?: Record<string, AttributeValue>;
  scopeName?: string;
  scopeVersion?: string;
  context?: InstrumentationContext;
  sampleRate?: number;
}

export interface MetricRecord {
  source: 'emf' | 'otlp';
  timeMilliseconds: number;
  namespace: string;
  name: string;
  unit: string;
  dimensions: Record<string, string>;
  /** The single measurements; none where only a `distribution` was sent. */
  values: number[];
  traceId?: string;
  /** Of a line in EMF that names its request alone. */
  requestId?: string;
  /** Seconds of EMF's `StorageResolution`. */
  storageResolution?: number;
  /** From here on: OTLP's. */
  type?: 'gauge' | 'sum' | 'histogram' | 'exponential histogram' | 'summary';
  description?: string;
  temporality?: 'delta' | 'cumulative';
  monotonic?: boolean;
  /** When the interval that a sum or a distribution covers began: epoch milliseconds. */
  startMilliseconds?: number;
  distribution?: MetricDistribution;
  exemplars?: {
    timeMilliseconds: number;
    value: number;
    traceId?: string;
    spanId?: string;
    attributes: Record<string, AttributeValue>;
  }[];
  flags?: number;
  metadata?: Record<string, AttributeValue>;
  serviceName?: string;
  resource?: Record<string, AttributeValue>;
  scopeName?: string;
  scopeVersion?: string;
  context?: InstrumentationContext;
}

/** A summary of many measurements: an OTLP histogram, exponential histogram or summary. */
export interface MetricDistribution {
  count: number;
  sum?: number;
  min?: number;
  max?: number;
  /** Explicit bounds, one fewer than `counts`. */
  bounds?: number[];
  counts?: number[];
  /** Of an exponential histogram: buckets are powers of 2^(2^-scale). */
  scale?: number;
  zeroCount?: number;
  zeroThreshold?: number;
  positive?: { offset: number; counts: number[] };
  negative?: { offset: number; counts: number[] };
  quantiles?: { quantile: number; value: number }[];
  /** Single values, each measured as often as `counts` says: EMF's Values and Counts. */
  values?: number[];
}

/** A Rollbar item. */
export interface ErrorRecord {
  timeMilliseconds: number;
  uuid: string;
  level: string;
  title: string;
  /** Rollbar's grouping: see services/rollbar. */
  fingerprint: string;
  environment?: string;
  codeVersion?: string;
  context?: string;
  personId?: string;
  traceId?: string;
  spanId?: string;
  requestId?: string;
  /** The request's method and address, as far as they were sent. */
  request?: { method?: string; url?: string };
  /** The `data` of the item as it was sent. */
  item: unknown;
}

/**
 * Where the platform and the receivers put what they have received. Nothing here waits, throws or
 * blocks: a full buffer drops its oldest and counts it.
 */
export interface TelemetrySink {
  segment(document: SegmentDocument): void;
  span(record: SpanRecord): void;
  log(record: LogRecord): void;
  metric(record: MetricRecord): void;
  error(record: ErrorRecord): void;
  /**
   * Something arrived that could not be taken: `reason` is a short fixed sentence, counted by
   * `receiver` and reason, and `detail` names the case.
   */
  rejected(receiver: string, reason: string, detail: string): void;
}

/**
 * Metadata of a segment that a local run emits and AWS would not, because the service leaves
 * tracing off.
 */
export const untracedMark = { throughline: { untraced_on_aws: true } };

export function isUntracedOnAws(metadata: Record<string, unknown>): boolean {
  const mark = metadata.throughline;
  return mark !== null && typeof mark === 'object' && 'untraced_on_aws' in mark;
}
