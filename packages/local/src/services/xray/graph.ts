import type { Store } from '../../store/index.ts';
import type { Trace, TraceNode } from '../../trace/trace.ts';
import { normalTraceId } from '../../trace/trace-id.ts';
import { type Body, invalidRequest, stringList, timeRange } from './api-request.ts';
import { matches } from './filter/evaluate.ts';
import type { Groups } from './groups.ts';
import { type ServiceNode, servicesOf } from './services.ts';
import { serviceId } from './summaries.ts';

/** Source: AWS X-Ray API Reference, "GetTraceGraph". */
const mostTraces = 5;

/** Counts calls, as X-Ray does: a throttle is an error, a fault is not. */
class Statistics {
  readonly #durations: number[] = [];
  #ok = 0;
  #throttle = 0;
  #error = 0;
  #fault = 0;
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;

  add(node: TraceNode): void {
    this.first = Math.min(this.first, node.start);
    this.last = Math.max(this.last, node.end ?? node.start);
    // A call that has not ended has neither succeeded nor failed yet.
    if (node.duration === undefined) return;
    this.#durations.push(node.duration / 1000);
    if (node.fault) this.#fault++;
    else if (node.throttle) this.#throttle++;
    else if (node.error) this.#error++;
    else this.#ok++;
  }

  summary(): Body {
    return {
      OkCount: this.#ok,
      ErrorStatistics: {
        ThrottleCount: this.#throttle,
        OtherCount: this.#error,
        TotalCount: this.#throttle + this.#error,
      },
      FaultStatistics: { OtherCount: this.#fault, TotalCount: this.#fault },
      TotalCount: this.#durations.length,
      TotalResponseTime: this.#durations.reduce((sum, duration) => sum + duration, 0),
    };
  }

  histogram(): Body[] {
    const counts = new Map<number, number>();
    for (const duration of this.#durations) {
      const value = Math.round(duration * 1000) / 1000;
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return [...counts].sort(([one], [other]) => one - other).map(([Value, Count]) => ({ Value, Count }));
  }
}

interface Vertex {
  id: number;
  service: Pick<ServiceNode, 'name' | 'type' | 'accountId'>;
  root: boolean;
  statistics: Statistics;
  edges: Map<number, Statistics>;
}

/** The map of services that traces add up to. */
export class ServiceGraph {
  readonly #vertices = new Map<string, Vertex>();

  add(trace: Trace): void {
    const { services, edges } = servicesOf(trace);
    for (const service of services) {
      const vertex = this.#vertex(service);
      vertex.statistics.add(service.node);
      if (!service.root) continue;
      vertex.root = true;
      // As on X-Ray's map, where the callers from outside are one client before each service that
      // they call.
      const client = this.#vertex({ name: service.name, type: 'client' });
      client.statistics.add(service.node);
      edgeTo(client, vertex).add(service.node);
    }
    for (const { from, to, call } of edges) edgeTo(this.#vertex(from), this.#vertex(to)).add(call);
  }

  /** @returns `Services` as X-Ray answers them. */
  services(): Body[] {
    return [...this.#vertices.values()].map(({ id, service, root, statistics, edges }) => ({
      ReferenceId: id,
      ...serviceId(service),
      Root: root,
      State: 'active',
      ...times(statistics),
      Edges: [...edges].map(([to, calls]) => ({
        ReferenceId: to,
        ...times(calls),
        SummaryStatistics: calls.summary(),
        ResponseTimeHistogram: calls.histogram(),
        Aliases: [],
      })),
      SummaryStatistics: statistics.summary(),
      DurationHistogram: statistics.histogram(),
      ResponseTimeHistogram: statistics.histogram(),
    }));
  }

  #vertex({ name, type, accountId }: Pick<ServiceNode, 'name' | 'type' | 'accountId'>): Vertex {
    const key = JSON.stringify([name, type, accountId]);
    let vertex = this.#vertices.get(key);
    if (!vertex) {
      const service = { name, ...(type && { type }), ...(accountId && { accountId }) };
      vertex = { id: this.#vertices.size, service, root: false, statistics: new Statistics(), edges: new Map() };
      this.#vertices.set(key, vertex);
    }
    return vertex;
  }
}

function edgeTo(from: Vertex, to: Vertex): Statistics {
  const known = from.edges.get(to.id) ?? new Statistics();
  from.edges.set(to.id, known);
  return known;
}

function times({ first, last }: Statistics): Body {
  return { StartTime: first / 1000, EndTime: last / 1000 };
}

/** GetTraceGraph. @throws ApiError for invalid ids. */
export async function getTraceGraph(body: Body, store: Store): Promise<Body> {
  const asked = stringList(body, 'TraceIds');
  const ids = asked.map(normalTraceId);
  const wrong = ids.indexOf(undefined);
  if (wrong >= 0) throw invalidRequest(`${asked[wrong]} is not a trace id.`);
  if (ids.length > mostTraces) throw invalidRequest(`TraceIds must be at most ${mostTraces}.`);
  const graph = new ServiceGraph();
  const wanted = new Set(ids.filter((id) => id !== undefined));
  for (const trace of await store.segmentTrees([...wanted])) graph.add(trace);
  return { Services: graph.services() };
}

/** GetServiceGraph. @throws ApiError without a valid time range, and for an unknown group. */
export async function getServiceGraph(body: Body, store: Store, groups: Groups): Promise<Body> {
  const { from, to } = timeRange(body);
  const group = groups.filterOf(body);
  const graph = new ServiceGraph();
  for await (const page of store.scan({ from, to, segmentsOnly: true }))
    for (const trace of page) if (matches(group, trace)) graph.add(trace);
  return { StartTime: from / 1000, EndTime: to / 1000, Services: graph.services(), ContainsOldGroupVersions: false };
}

/**
 * GetTimeSeriesServiceStatistics, of the entry points of all traces. @throws ApiError for what
 * would need a selector or a forecast.
 */
export async function getTimeSeriesServiceStatistics(body: Body, store: Store, groups: Groups): Promise<Body> {
  const { from, to } = timeRange(body);
  const group = groups.filterOf(body);
  if (body.EntitySelectorExpression) {
    throw invalidRequest('EntitySelectorExpression is not supported by the local X-Ray.');
  }
  if (body.ForecastStatistics) throw invalidRequest('ForecastStatistics is not supported by the local X-Ray.');
  const period = body.Period ?? 60;
  if (period !== 60 && period !== 300) throw invalidRequest('Period must be 60 or 300 seconds.');
  const periods = new Map<number, Statistics>();
  for await (const page of store.scan({ from, to, within: 'start', segmentsOnly: true })) {
    for (const trace of page) {
      const { roots, start } = trace;
      const [entry] = roots;
      if (!entry || !matches(group, trace)) continue;
      const begin = Math.floor(start / 1000 / period) * period;
      const statistics = periods.get(begin) ?? new Statistics();
      statistics.add(entry);
      periods.set(begin, statistics);
    }
  }
  return {
    TimeSeriesServiceStatistics: [...periods]
      .sort(([one], [other]) => one - other)
      .map(([begin, statistics]) => ({
        Timestamp: begin,
        ServiceSummaryStatistics: statistics.summary(),
        ResponseTimeHistogram: statistics.histogram(),
      })),
    ContainsOldGroupVersions: false,
  };
}
