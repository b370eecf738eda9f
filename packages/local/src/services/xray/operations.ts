import type { LocalService } from '../../service/model.ts';
import type { Store } from '../../store/index.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import type { Body } from './api-request.ts';
import { ApiError, invalidRequest } from './api-request.ts';
import { getServiceGraph, getTimeSeriesServiceStatistics, getTraceGraph } from './graph.ts';
import { Groups } from './groups.ts';
import { Sampling } from './sampling-rules.ts';
import { batchGetTraces, putTraceSegments } from './segments.ts';
import { getTraceSummaries } from './summaries.ts';

export interface XrayApiOptions {
  sink: TelemetrySink;
  store: Store;
  service?: LocalService;
}

/**
 * One operation: the members of its request in, those of its answer out. @throws ApiError for a
 * request that it cannot answer.
 */
type Operation = (body: Body) => Body | Promise<Body>;

/** The operations of X-Ray's API of 2016-04-12 that manage what is not on this machine, by path. */
const notSupported: Record<string, string> = {
  '/CancelTraceRetrieval': 'CancelTraceRetrieval',
  '/CreateGroup': 'CreateGroup',
  '/CreateSamplingRule': 'CreateSamplingRule',
  '/DeleteGroup': 'DeleteGroup',
  '/DeleteResourcePolicy': 'DeleteResourcePolicy',
  '/DeleteSamplingRule': 'DeleteSamplingRule',
  '/GetIndexingRules': 'GetIndexingRules',
  '/GetRetrievedTracesGraph': 'GetRetrievedTracesGraph',
  '/Insight': 'GetInsight',
  '/InsightEvents': 'GetInsightEvents',
  '/InsightImpactGraph': 'GetInsightImpactGraph',
  '/InsightSummaries': 'GetInsightSummaries',
  '/ListResourcePolicies': 'ListResourcePolicies',
  '/ListRetrievedTraces': 'ListRetrievedTraces',
  '/ListTagsForResource': 'ListTagsForResource',
  '/PutEncryptionConfig': 'PutEncryptionConfig',
  '/PutResourcePolicy': 'PutResourcePolicy',
  '/StartTraceRetrieval': 'StartTraceRetrieval',
  '/TagResource': 'TagResource',
  '/UntagResource': 'UntagResource',
  '/UpdateGroup': 'UpdateGroup',
  '/UpdateIndexingRule': 'UpdateIndexingRule',
  '/UpdateSamplingRule': 'UpdateSamplingRule',
  '/UpdateTraceSegmentDestination': 'UpdateTraceSegmentDestination',
};

/**
 * @returns what answers a request to a path of the API. Its promise rejects with an ApiError for
 * what cannot be answered.
 */
export function xrayOperations({ sink, store, service }: XrayApiOptions): (path: string, body: Body) => Promise<Body> {
  const sampling = new Sampling(service);
  const groups = new Groups(service ?? { region: 'us-east-1' });
  const operations: Record<string, Operation> = {
    '/TraceSegments': (body) => putTraceSegments(body, sink),
    '/Traces': (body) => batchGetTraces(body, store),
    '/TraceSummaries': (body) => getTraceSummaries(body, store, groups.filters),
    '/TraceGraph': (body) => getTraceGraph(body, store),
    '/ServiceGraph': (body) => getServiceGraph(body, store, groups),
    '/TimeSeriesServiceStatistics': (body) => getTimeSeriesServiceStatistics(body, store, groups),
    '/Groups': () => groups.list(),
    '/GetGroup': (body) => groups.get(body),
    '/GetSamplingRules': () => sampling.rules(),
    '/SamplingTargets': (body) => sampling.targets(body),
    '/SamplingStatisticSummaries': () => sampling.statistics(),
    // The daemon reports on itself once a minute, and would log an error if nobody listened.
    '/TelemetryRecords': () => ({}),
    '/GetTraceSegmentDestination': () => ({ Destination: 'XRay', Status: 'ACTIVE' }),
    '/EncryptionConfig': () => ({ EncryptionConfig: { Type: 'NONE', Status: 'ACTIVE' } }),
  };
  return async (path, body) => {
    const operation = Object.hasOwn(operations, path) ? operations[path] : undefined;
    if (operation) return operation(body);
    const name = Object.hasOwn(notSupported, path) ? notSupported[path] : undefined;
    if (name) throw invalidRequest(`${name} is not supported by the local X-Ray.`);
    throw new ApiError('UnknownOperationException', `X-Ray has no operation at ${path}.`, 404);
  };
}
