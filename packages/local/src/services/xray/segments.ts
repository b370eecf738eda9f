import type { Store } from '../../store/index.ts';
import { flattened, isFinished } from '../../trace/nodes.ts';
import type { SegmentDocument, TelemetrySink } from '../../trace/records.ts';
import { normalTraceId, xrayTraceId } from '../../trace/trace-id.ts';
import { type Body, invalidRequest, stringList } from './api-request.ts';
import { Refusal, readDocument } from './daemon/document.ts';

/** Source: AWS X-Ray API Reference, "BatchGetTraces". */
const mostTraces = 5;

/**
 * The daemon sends 50. An answer for each of millions of empty texts would be far larger than the
 * request.
 */
const mostDocuments = 1_000;

/** PutTraceSegments: each document is taken or refused for itself. */
export function putTraceSegments(body: Body, sink: TelemetrySink): Body {
  const texts = stringList(body, 'TraceSegmentDocuments');
  if (texts.length > mostDocuments) {
    throw invalidRequest(`TraceSegmentDocuments must be at most ${mostDocuments}.`);
  }
  const unprocessed: Body[] = [];
  for (const text of texts) {
    const document = readDocument(text);
    if (!(document instanceof Refusal)) {
      sink.segment(document);
      continue;
    }
    const { id, code, reason, detail } = document;
    sink.rejected('xray', reason, detail);
    unprocessed.push({ ...(id !== undefined && { Id: id }), ErrorCode: code, Message: `${reason}: ${detail}` });
  }
  return { UnprocessedTraceSegments: unprocessed };
}

/**
 * Subsegments that were sent alone are put into the segment that they belong to, as X-Ray gives
 * them back.
 * @param documents those that count, each id once.
 * @returns segments, and subsegments whose parent is not here.
 */
export function assembled(documents: SegmentDocument[]): SegmentDocument[] {
  const copies = documents.map((document) => structuredClone(document));
  const parents = new Map(flattened(copies).map(({ document }) => [document.id, document]));
  const within = (inner: SegmentDocument, outer: SegmentDocument) =>
    flattened([inner]).some(({ document }) => document === outer);
  const moved: SegmentDocument[] = [];
  const left = copies.filter((document) => {
    if (document.type !== 'subsegment' || document.parent_id === undefined) return true;
    const parent = parents.get(document.parent_id);
    // A segment that is its own ancestor would vanish from the answer with everything below it.
    if (!parent || within(document, parent)) return true;
    parent.subsegments ??= [];
    const same = parent.subsegments.findIndex(({ id }) => id === document.id);
    if (same < 0) parent.subsegments.push(document);
    else if (isFinished(document) || !isFinished(parent.subsegments[same] as SegmentDocument)) {
      parent.subsegments[same] = document;
    }
    moved.push(document);
    return false;
  });
  for (const document of moved) {
    delete document.trace_id;
    delete document.parent_id;
    delete document.type;
  }
  return left;
}

/** BatchGetTraces */
export async function batchGetTraces(body: Body, store: Store): Promise<Body> {
  const asked = stringList(body, 'TraceIds');
  if (asked.length > mostTraces) throw invalidRequest(`TraceIds must be at most ${mostTraces}.`);
  const unprocessed = asked.filter((id) => !normalTraceId(id));
  const found = await store.documents(asked);
  const traces = [...found].map(([id, documents]) => {
    const parts = flattened(documents).map(({ document }) => document);
    const start = Math.min(...parts.map(({ start_time }) => start_time));
    const end = Math.max(...parts.map(({ start_time, end_time }) => end_time ?? start_time));
    return {
      Id: xrayTraceId(id),
      Duration: Math.round((end - start) * 1e6) / 1e6,
      LimitExceeded: false,
      Segments: assembled(documents).map((document) => ({ Id: document.id, Document: JSON.stringify(document) })),
    };
  });
  return { Traces: traces, UnprocessedTraceIds: unprocessed };
}
