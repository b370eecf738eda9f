import { SpanKind } from '@opentelemetry/api-1.9';
import { type ActiveSpan, currentRequest, currentSpan } from '../context/request-context.ts';
import { suppressTracing } from '../context/suppress-tracing.ts';
import { type Outcome, outcomeOf } from '../errors/outcome.ts';
import { quietly } from '../quietly.ts';
import { setAttributes } from '../signals/attributes.ts';
import { runInSpan } from '../signals/span.ts';
import { outgoingHeaders } from './outgoing-headers.ts';

/** The part of an AWS SDK client (version 3) that is used here; every client has it. */
export interface AwsClient {
  readonly config: { readonly serviceId?: string; readonly region?: unknown };
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

interface Call {
  input: Record<string, unknown>;
  request?: { headers: Record<string, string> };
}

interface Metadata {
  httpStatusCode?: number;
  requestId?: string;
  attempts?: number;
}

type Next = (call: Call) => Promise<{ output?: { $metadata?: Metadata }; response?: unknown }>;

interface HandlerContext {
  commandName?: string;
  clientName?: string;
}

/** Errors that say "slower": X-Ray flags them as a throttle, whatever their status. */
const throttles =
  /Throttl|TooManyRequests|ProvisionedThroughputExceeded|RequestLimitExceeded|SlowDown|LimitExceededException$/;

/**
 * Records every call of this client as one span, named and filled as X-Ray's own SDK does it, with
 * OpenTelemetry's attributes beside, and is the only owner of its calls: one `X-Amzn-Trace-Id` and
 * one `traceparent` leave with each, both naming this span. Retries are one span.
 * @returns the same client.
 */
export function traceClient<T extends AwsClient>(client: T): T {
  const service = client.config.serviceId ?? 'AWS';
  const add = client.middlewareStack.add.bind(client.middlewareStack) as (
    middleware: unknown,
    options: unknown,
  ) => void;
  const responses = new WeakMap<ActiveSpan, number>();

  const spanMiddleware = (next: Next, context: HandlerContext) => (call: Call) => {
    const operation = (context.commandName ?? 'Command').replace(/Command$/, '');
    const options = { kind: SpanKind.CLIENT, namespace: 'aws', outcome: callOutcome } as const;
    return runInSpan(service, options, async (active) => {
      if (!active) return next(call);
      const region = await regionOf(client);
      const started = performance.now();
      let metadata: Metadata | undefined;
      try {
        const result = await suppressTracing(() => next(call));
        metadata = result.output?.$metadata;
        return result;
      } catch (error) {
        metadata = (error as { $metadata?: Metadata } | undefined)?.$metadata;
        throw error;
      } finally {
        quietly(() => {
          countDatabase(service, performance.now() - started);
          describe(active, { service, operation, region, input: call.input, metadata, length: responses.get(active) });
        });
      }
    });
  };

  const headerMiddleware = (next: Next) => (call: Call) => {
    quietly(() => {
      const headers = call.request?.headers;
      if (!headers) return;
      for (const key of Object.keys(headers)) if (/^(x-amzn-trace-id|traceparent)$/i.test(key)) delete headers[key];
      Object.assign(headers, outgoingHeaders());
    });
    return next(call);
  };

  const responseMiddleware = (next: Next) => async (call: Call) => {
    const active = currentSpan();
    const result = await next(call);
    quietly(() => {
      const headers = (result.response as { headers?: Record<string, string> } | undefined)?.headers;
      const length = Number(headers?.['content-length'] ?? Number.NaN);
      if (active && Number.isFinite(length)) responses.set(active, length);
    });
    return result;
  };

  add(spanMiddleware, { step: 'initialize', name: 'throughlineSpan', priority: 'high', override: true });
  add(headerMiddleware, { step: 'build', name: 'throughlineTraceHeaders', priority: 'high', override: true });
  add(responseMiddleware, { step: 'deserialize', name: 'throughlineResponse', priority: 'low', override: true });
  return client;
}

function callOutcome(error: unknown): Outcome {
  const { name, $metadata } = (error ?? {}) as { name?: unknown; $metadata?: Metadata };
  return throttles.test(String(name)) ? 'throttle' : outcomeOf($metadata?.httpStatusCode);
}

interface Description {
  service: string;
  operation: string;
  region: string | undefined;
  input: Record<string, unknown>;
  metadata: Metadata | undefined;
  length: number | undefined;
}

/**
 * Fills X-Ray's own fields, which its console and map read, and says the same by OpenTelemetry's
 * names in both.
 */
function describe(active: ActiveSpan, call: Description): void {
  const { service, operation, region, input, metadata, length } = call;
  const tables = tablesOf(input);
  const queue = typeof input.QueueUrl === 'string' ? input.QueueUrl : undefined;
  const retries = Math.max(0, (metadata?.attempts ?? 1) - 1);
  const status = metadata?.httpStatusCode;
  active.subsegment?.addAttribute('aws', {
    operation,
    region,
    request_id: metadata?.requestId,
    retries,
    ...(tables.length === 1 ? { table_name: tables[0] } : {}),
    ...(tables.length > 1 ? { table_names: tables } : {}),
    queue_url: queue,
  });
  if (status !== undefined) {
    active.subsegment?.addAttribute('http', { response: { status, content_length: length } });
  }
  setAttributes(active, {
    'rpc.system': 'aws-api',
    'rpc.service': service,
    'rpc.method': operation,
    'aws.operation': operation,
    'cloud.region': region,
    'aws.request_id': metadata?.requestId,
    'http.response.status_code': status,
    'http.response.body.size': length,
    'aws.dynamodb.table_names': tables.length > 0 ? tables : undefined,
    'aws.sqs.queue.url': queue,
    'db.system.name': service === 'DynamoDB' ? 'aws.dynamodb' : undefined,
    'db.operation.name': service === 'DynamoDB' ? operation : undefined,
    'aws.retries': retries,
  });
}

/** The tables that a DynamoDB request names: one, or the keys of a batch. */
function tablesOf(input: Record<string, unknown>): string[] {
  if (typeof input.TableName === 'string') return [input.TableName];
  const items = input.RequestItems;
  return typeof items === 'object' && items !== null ? Object.keys(items) : [];
}

async function regionOf(client: AwsClient): Promise<string | undefined> {
  try {
    const region = client.config.region;
    return String(typeof region === 'function' ? await region() : region);
  } catch {
    return undefined;
  }
}

function countDatabase(service: string, milliseconds: number): void {
  const database = service === 'DynamoDB' ? currentRequest()?.database : undefined;
  if (!database) return;
  database.calls += 1;
  database.milliseconds += milliseconds;
}
