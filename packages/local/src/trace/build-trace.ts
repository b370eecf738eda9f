import { requestNode } from './caller-wait.ts';
import { currentDocuments, flattened, mergedNode, nodeOfDocument, nodeOfSpan } from './nodes.ts';
import type { SegmentDocument, SpanRecord } from './records.ts';
import {
  inOrder,
  type Trace,
  type TraceError,
  type TraceLog,
  type TraceMetric,
  type TraceNode,
  type TraceSummary,
  topNodes,
} from './trace.ts';
import { xrayTraceId } from './trace-id.ts';

export interface TraceParts {
  /** As they were sent, in the order in which they arrived. */
  documents: SegmentDocument[];
  /** In the order in which they arrived. */
  spans: SpanRecord[];
  logs?: TraceLog[];
  metrics?: TraceMetric[];
  errors?: TraceError[];
}

/**
 * @returns the documents that count: of each id the complete one, or the last one in progress, in
 * the order in which they arrived.
 */
export function currentSegments(documents: SegmentDocument[]): SegmentDocument[] {
  return [...currentDocuments(documents.map((document) => ({ document }))).values()].map(({ document }) => document);
}

function nodesById(parts: TraceParts): Map<string, TraceNode> {
  const nodes = new Map<string, TraceNode>();
  for (const [id, placed] of currentDocuments(flattened(currentSegments(parts.documents)))) {
    nodes.set(id, nodeOfDocument(placed));
  }
  // A span that was sent again replaces what its own source sent before.
  const spans = new Map(parts.spans.map((span) => [`${span.source} ${span.spanId}`, span]));
  for (const span of spans.values()) {
    const node = nodeOfSpan(span);
    const other = nodes.get(span.spanId);
    if (!other) nodes.set(span.spanId, node);
    else {
      const merged = mergedNode(other, node);
      // X-Ray may name a parent that never came where OpenTelemetry's is here.
      if (node.parentId && merged.parentId && !nodes.has(merged.parentId)) merged.parentId = node.parentId;
      nodes.set(span.spanId, merged);
    }
  }
  return nodes;
}

const byStart = (one: TraceNode, other: TraceNode) => one.start - other.start;

/**
 * The nodes whose parent ids lead back to themselves: each such ring is opened above its earliest
 * node.
 */
function ringHeads(nodes: Map<string, TraceNode>): Set<TraceNode> {
  const heads = new Set<TraceNode>();
  const visited = new Set<TraceNode>();
  for (const first of nodes.values()) {
    const path = new Set<TraceNode>();
    let node: TraceNode | undefined = first;
    while (node && !visited.has(node)) {
      visited.add(node);
      path.add(node);
      node = node.parentId === undefined ? undefined : nodes.get(node.parentId);
    }
    if (!node || !path.has(node)) continue;
    const order = [...path];
    const ring = order.slice(order.indexOf(node)).sort(byStart);
    if (ring[0]) heads.add(ring[0]);
  }
  return heads;
}

/** Hangs each node below its parent. @returns those that have none here. */
function rootsOf(nodes: Map<string, TraceNode>): TraceNode[] {
  const heads = ringHeads(nodes);
  const roots: TraceNode[] = [];
  for (const node of [...nodes.values()].sort(byStart)) {
    const parent = node.parentId === undefined || heads.has(node) ? undefined : nodes.get(node.parentId);
    if (parent) parent.children.push(node);
    else {
      node.orphan = node.parentId !== undefined;
      roots.push(node);
    }
  }
  cutBelow(deepestLevel, roots);
  return roots;
}

/**
 * No program nests calls so deep. What claims to would overflow the stack of whatever writes the
 * trace as JSON.
 */
const deepestLevel = 500;

/** Makes roots of what lies deeper than `deepest` levels. */
function cutBelow(deepest: number, roots: TraceNode[]): void {
  // Roots that are added on the way are visited too.
  for (const root of roots) {
    let level = [root];
    for (let depth = 1; level.length > 0; depth++) {
      if (depth === deepest) {
        for (const node of level) {
          for (const child of node.children) roots.push(Object.assign(child, { orphan: true }));
          node.children = [];
        }
      }
      level = level.flatMap(({ children }) => children);
    }
  }
}

function isColdStart(node: TraceNode): boolean {
  if (node.attributes['faas.coldstart'] === true) return true;
  if (node.origin !== 'AWS::Lambda::Function') return false;
  return node.children.some(({ name }) => name === 'Init' || name === 'Initialization');
}

/**
 * Puts one trace together out of what has arrived of it, in whatever order.
 * @param id 32 hex digits.
 * @returns undefined when there is nothing of it.
 */
export function buildTrace(id: string, parts: TraceParts): Trace | undefined {
  const { logs = [], metrics = [], errors = [] } = parts;
  const roots = rootsOf(nodesById(parts));
  const nodes = [...inOrder(roots)];
  const times =
    nodes.length > 0 ? nodes : [...logs, ...metrics, ...errors].map(({ time }) => ({ start: time, end: time }));
  if (times.length === 0) return undefined;
  const start = times.reduce((least, node) => Math.min(least, node.start), Number.POSITIVE_INFINITY);
  const end = times.reduce((most, node) => Math.max(most, node.end ?? node.start), Number.NEGATIVE_INFINITY);
  const top = topNodes(roots);
  const http =
    nodes.find((node) => node.type === 'segment' && node.http)?.http ?? nodes.find((node) => node.http)?.http;
  const user = nodes.find((node) => node.user !== undefined)?.user;
  const release = releaseOf(nodes);
  return {
    id,
    xrayId: xrayTraceId(id),
    start,
    end,
    duration: waited(requestNode(roots), end) ?? end - start,
    inProgress: nodes.some((node) => node.inProgress),
    error: top.some((node) => node.error),
    fault: top.some((node) => node.fault),
    throttle: top.some((node) => node.throttle),
    ...(http && { http: requestAndStatus(http) }),
    ...(user !== undefined && { user }),
    ...(release !== undefined && { release }),
    coldStart: nodes.some(isColdStart),
    roots,
    logs,
    metrics,
    errors,
  };
}

/** The time until the answer. What runs on after it (exports, extensions) made nobody wait. */
function waited(request: TraceNode | undefined, end: number): number | undefined {
  return request && Math.max(0, (request.end ?? end) - request.start);
}

/** @returns a trace's line in a list. */
export function summaryOf(trace: Trace): TraceSummary {
  const { id, xrayId, start, duration, inProgress, error, fault, throttle, coldStart, http, user, release } = trace;
  return {
    id,
    xrayId,
    start,
    duration,
    inProgress,
    error,
    fault,
    throttle,
    coldStart,
    ...(http?.method !== undefined && { method: http.method }),
    ...(http?.url !== undefined && { url: http.url }),
    ...(http?.status !== undefined && { status: http.status }),
    ...(user !== undefined && { user }),
    ...(release !== undefined && { release }),
  };
}

function releaseOf(nodes: readonly TraceNode[]): string | undefined {
  const versions = [
    ...nodes.map(({ attributes, annotations }) => attributes.release ?? annotations.release),
    ...nodes.map(({ resource }) => resource?.['service.version']),
  ];
  return versions.find((version) => typeof version === 'string' && version !== '') as string | undefined;
}

function requestAndStatus({ method, url, status }: NonNullable<TraceNode['http']>): NonNullable<Trace['http']> {
  return {
    ...(method !== undefined && { method }),
    ...(url !== undefined && { url }),
    ...(status !== undefined && { status }),
  };
}
