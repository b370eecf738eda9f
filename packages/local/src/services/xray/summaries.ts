import { createHash } from 'node:crypto';
import type { Store } from '../../store/index.ts';
import type { TraceRange } from '../../trace/query.ts';
import type { Trace } from '../../trace/trace.ts';
import { inOrder } from '../../trace/trace.ts';
import { type Body, invalidRequest, optionalString, timeRange } from './api-request.ts';
import { matches } from './filter/evaluate.ts';
import type { Filter, GroupFilters } from './filter/grammar.ts';
import { parseFilter } from './filter/parse.ts';
import { holdingOf } from './filter/sieve.ts';
import { FilterError } from './filter/tokens.ts';
import { placesOf, type ServiceNode, servicesOf } from './services.ts';

const pageSize = 100;

/**
 * What X-Ray calls a trace's time. TraceId: its start; Event: when it was updated; Service: when a
 * segment of it ended.
 */
const timeRangeTypes: Record<string, TraceRange['within']> = { TraceId: 'start', Event: 'received', Service: 'end' };

/** GetTraceSummaries. @throws ApiError naming what in the request is not valid or not supported. */
export async function getTraceSummaries(body: Body, store: Store, groups?: GroupFilters): Promise<Body> {
  const { from, to } = timeRange(body);
  const type = optionalString(body, 'TimeRangeType') ?? 'TraceId';
  const within = timeRangeTypes[type];
  if (!within) throw invalidRequest(`TimeRangeType must be TraceId, Event or Service, not ${type}.`);
  const filter = filterOf(body, groups);
  const kept = keptBySampling(body);
  const query = queryMark([from, to, type, body.FilterExpression, body.Sampling, body.SamplingStrategy]);
  const before = readToken(optionalString(body, 'NextToken'), query);
  const range = { from, to, within, segmentsOnly: true, ...(before && { before }) };
  const holding = filter && holdingOf(filter);
  const found: Trace[] = [];
  let processed = 0;
  let latest: Trace | undefined;
  let more = false;
  search: for await (const page of store.scan({ ...range, ...(holding && { holding }) })) {
    for (const trace of page) {
      processed++;
      latest = trace;
      if (!kept(trace) || (filter && !matches(filter, trace))) continue;
      if (found.length === pageSize) {
        more = true;
        break search;
      }
      found.push(trace);
    }
  }
  if (holding) {
    // What the store left out was processed by it.
    const rest = more && latest ? await store.count({ ...range, before: latest }) : 0;
    processed = (await store.count(range)) - rest;
  }
  const last = found.at(-1);
  return {
    TraceSummaries: found.map((trace) => summaryOf(trace, type === 'Event')),
    ApproximateTime: Date.now() / 1000,
    TracesProcessedCount: processed,
    ...(more && last && { NextToken: writeToken(last, query) }),
  };
}

function filterOf(body: Body, groups: GroupFilters | undefined): Filter | undefined {
  const expression = optionalString(body, 'FilterExpression');
  if (expression === undefined || expression.trim() === '') return undefined;
  try {
    return parseFilter(expression, groups);
  } catch (error) {
    if (error instanceof FilterError) throw invalidRequest(`Invalid FilterExpression: ${error.message}.`);
    throw error;
  }
}

/**
 * With a fixed rate the same traces are kept at every call. Sampling alone, and PartialScan, allow
 * X-Ray to leave traces out: nothing here has to.
 */
function keptBySampling(body: Body): (trace: Trace) => boolean {
  const strategy = body.SamplingStrategy as { Name?: unknown; Value?: unknown } | null | undefined;
  if (strategy === undefined || strategy === null || strategy.Name === 'PartialScan') return () => true;
  const { Name: name, Value: rate } = strategy;
  if (name !== 'FixedRate' || typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) {
    throw invalidRequest('SamplingStrategy must be PartialScan, or FixedRate with a Value from 0 to 1.');
  }
  return ({ id }) => Number.parseInt(id.slice(-8), 16) / 2 ** 32 < rate;
}

function queryMark(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}

function writeToken({ start, id }: Trace, query: string): string {
  return Buffer.from(JSON.stringify([query, start, id])).toString('base64url');
}

function readToken(token: string | undefined, query: string): TraceRange['before'] {
  if (token === undefined) return undefined;
  try {
    const [mark, start, id] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (mark === query && typeof start === 'number' && typeof id === 'string') return { start, id };
  } catch {
    // As wrong as one of another query.
  }
  throw invalidRequest('NextToken is not of this query.');
}

/** @returns a service as X-Ray names it in its answers. */
export function serviceId({ name, type, accountId }: Pick<ServiceNode, 'name' | 'type' | 'accountId'>): Body {
  return { Name: name, Names: [name], ...(accountId && { AccountId: accountId }), ...(type && { Type: type }) };
}

function annotationValue(value: unknown): Body | undefined {
  if (typeof value === 'number') return { NumberValue: value };
  if (typeof value === 'boolean') return { BooleanValue: value };
  return typeof value === 'string' ? { StringValue: value } : undefined;
}

/**
 * Gathers what several services say under one heading: X-Ray lists each value with the services
 * that said it.
 */
class Gathered {
  readonly #services = new Map<string, Body[]>();

  add(value: string, service: ServiceNode): void {
    const services = this.#services.get(value);
    const id = serviceId(service);
    if (!services) this.#services.set(value, [id]);
    else if (!services.some((other) => JSON.stringify(other) === JSON.stringify(id))) services.push(id);
  }

  entries(): [string, Body[]][] {
    return [...this.#services];
  }
}

function summaryOf(trace: Trace, withEventTime: boolean): Body {
  const { services } = servicesOf(trace);
  const nodes = [...inOrder(trace.roots)];
  const root = nodes[0];
  const requested = nodes.find(({ type, http }) => type === 'segment' && http)?.http;
  const users = new Gathered();
  const annotations = new Map<string, Gathered>();
  for (const service of services) {
    for (const part of service.parts) {
      if (part.user !== undefined) users.add(part.user, service);
      for (const [key, value] of Object.entries(part.annotations)) {
        const shown = annotationValue(value);
        if (!shown) continue;
        const values = annotations.get(key) ?? new Gathered();
        values.add(JSON.stringify(shown), service);
        annotations.set(key, values);
      }
    }
  }
  const places = nodes.map(placesOf);
  const each = (values: (string | undefined)[], key: string) =>
    [...new Set(values.filter((value) => value !== undefined))].map((value) => ({ [key]: value }));
  const [entry] = services;
  return {
    Id: trace.xrayId,
    StartTime: trace.start / 1000,
    Duration: seconds(trace.end - trace.start),
    ...(root?.duration !== undefined && { ResponseTime: seconds(root.duration) }),
    HasFault: trace.fault,
    HasError: trace.error,
    HasThrottle: trace.throttle,
    IsPartial: trace.inProgress || nodes.some(({ orphan }) => orphan),
    Http: {
      ...(requested?.url !== undefined && { HttpURL: requested.url }),
      ...(requested?.status !== undefined && { HttpStatus: requested.status }),
      ...(requested?.method !== undefined && { HttpMethod: requested.method }),
      ...(requested?.userAgent !== undefined && { UserAgent: requested.userAgent }),
      ...(requested?.clientIp !== undefined && { ClientIp: requested.clientIp }),
    },
    Annotations: Object.fromEntries(
      [...annotations].map(([key, values]) => [
        key,
        values.entries().map(([value, ids]) => ({ AnnotationValue: JSON.parse(value), ServiceIds: ids })),
      ]),
    ),
    Users: users.entries().map(([name, ids]) => ({ UserName: name, ServiceIds: ids })),
    ServiceIds: services.map(serviceId),
    ResourceARNs: each(
      places.map(({ arn }) => arn),
      'ARN',
    ),
    InstanceIds: each(
      places.map(({ instance }) => instance),
      'Id',
    ),
    AvailabilityZones: each(
      places.map(({ zone }) => zone),
      'Name',
    ),
    ...(entry && { EntryPoint: serviceId(entry) }),
    Revision: 1,
    ...(withEventTime && { MatchedEventTime: trace.end / 1000 }),
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1e6;
}
