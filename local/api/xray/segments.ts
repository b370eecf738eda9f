import { Refusal, readDocument } from '../../intake/xray/document.ts';
import type { Store } from '../../store/index.ts';
import { flattened, isComplete } from '../../store/nodes.ts';
import type { SegmentDocument, TelemetrySink } from '../../store/records.ts';
import { normalTraceId, xrayTraceId } from '../../store/trace-id.ts';
import { invalidRequest } from './api-error.ts';
import { type Body, stringList } from './request.ts';

/** BatchGetTraces answers at most so many; AWS documents five and this is more, for who reads a whole run. */
const MOST_TRACES = 100;

/** PutTraceSegments: each document is taken or refused for itself. */
export function putTraceSegments(body: Body, sink: TelemetrySink): Body {
  const unprocessed: Body[] = [];
  for (const text of stringList(body, 'TraceSegmentDocuments')) {
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
 * Subsegments that were sent alone are put into the segment that they belong to, as X-Ray gives them back.
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
    // What is its own ancestor would vanish from the answer with all that is below it.
    if (!parent || within(document, parent)) return true;
    parent.subsegments ??= [];
    const same = parent.subsegments.findIndex(({ id }) => id === document.id);
    if (same < 0) parent.subsegments.push(document);
    else if (isComplete(document) || !isComplete(parent.subsegments[same] as SegmentDocument)) {
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
  if (asked.length > MOST_TRACES) throw invalidRequest(`TraceIds must be at most ${MOST_TRACES}.`);
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
