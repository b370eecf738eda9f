import type { SegmentDocument } from '../../../trace/records.ts';

/** Of a document, by X-Ray's own limit. */
const mostBytes = 64 * 1024;
const deepest = 100;

const receiverName = /^[\p{L}\p{N}\p{Z}_.:/%&#=+\\\-@]{1,200}$/u;
const idPattern = /^[0-9a-f]{16}$/i;
const traceId = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/i;

/** Seconds of the year 5138; milliseconds of 1973: what is above was not meant as seconds. */
const latestSeconds = 1e11;

/**
 * Why a document was not taken: `code` as PutTraceSegments names it, `reason` a fixed sentence to
 * be counted, `detail` this case.
 */
export class Refusal {
  readonly code: string;
  readonly reason: string;
  readonly detail: string;
  /** The document's own id, where it could be read. */
  id?: string;

  constructor(code: string, reason: string, detail: string) {
    this.code = code;
    this.reason = reason;
    this.detail = detail;
  }
}

function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Fields that segments and subsegments share, embedded or not. `place` is empty for the
 * document itself.
 */
function refusalOfPart(part: Record<string, unknown>, place: string): Refusal | undefined {
  const at = place && ` at ${place}`;
  if (typeof part.name !== 'string' || !receiverName.test(part.name)) {
    const allowed = '1-200 letters, digits, spaces and _ . : / % & # = + \\ - @';
    return new Refusal('InvalidName', `the name is not ${allowed}`, `${excerpt(part.name)}${at}`);
  }
  if (typeof part.id !== 'string' || !idPattern.test(part.id)) {
    const code = part.id === undefined ? 'MissingId' : 'InvalidId';
    return new Refusal(code, 'the id is not 16 hex digits', `${excerpt(part.id)}${at}`);
  }
  for (const key of ['start_time', 'end_time'] as const) {
    const time = part[key];
    if (key === 'end_time' && time === undefined) continue;
    if (typeof time !== 'number' || !(time >= 0)) {
      return new Refusal('InvalidTime', `${key} is not a time in epoch seconds`, `${excerpt(time)}${at}`);
    }
    if (time > latestSeconds) {
      return new Refusal('InvalidTime', `${key} is not in seconds`, `${time}${at}`);
    }
  }
  return undefined;
}

function refusalOfEmbedded(document: Record<string, unknown>): Refusal | undefined {
  const waiting = [{ part: document, place: '', depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { part, place, depth } = next;
    const inner = part.subsegments;
    if (inner === undefined || inner === null) continue;
    if (!Array.isArray(inner))
      return new Refusal('InvalidSubsegment', 'subsegments is not a list', place || 'subsegments');
    if (depth === deepest)
      return new Refusal('InvalidSubsegment', `subsegments are nested deeper than ${deepest}`, place);
    for (const [index, each] of inner.entries()) {
      const here = `${place && `${place}.`}subsegments[${index}]`;
      if (!isObject(each)) return new Refusal('InvalidSubsegment', 'a subsegment is not an object', here);
      const refusal = refusalOfPart(each, here);
      if (refusal) return refusal;
      waiting.push({ part: each, place: here, depth: depth + 1 });
    }
  }
  return undefined;
}

function refusalOfDocument(document: Record<string, unknown>): Refusal | undefined {
  const refusal = refusalOfPart(document, '');
  if (refusal) return refusal;
  if (typeof document.trace_id !== 'string' || !traceId.test(document.trace_id)) {
    const code = document.trace_id === undefined ? 'MissingTraceId' : 'InvalidTraceId';
    return new Refusal(code, 'the trace_id is not 1-<8 hex digits>-<24 hex digits>', excerpt(document.trace_id));
  }
  if (document.end_time === undefined && document.in_progress !== true) {
    return new Refusal('MissingEndTime', 'there is neither end_time nor in_progress', excerpt(document.name));
  }
  const parent = document.parent_id;
  if (parent !== undefined && parent !== null && (typeof parent !== 'string' || !idPattern.test(parent))) {
    return new Refusal('InvalidParentId', 'the parent_id is not 16 hex digits', excerpt(parent));
  }
  if (document.type === 'subsegment' && !parent) {
    return new Refusal('MissingParentId', 'a subsegment that is sent alone has no parent_id', excerpt(document.name));
  }
  return refusalOfEmbedded(document);
}

/**
 * Reads a segment document as X-Ray takes it.
 * Format: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
 * @returns the document, all of it that was sent, or why it is invalid.
 */
export function readDocument(text: string): SegmentDocument | Refusal {
  const bytes = Buffer.byteLength(text);
  if (bytes > mostBytes) return new Refusal('SegmentTooLarge', 'the document is larger than 64 KB', `${bytes} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return new Refusal('ParseError', 'the document is not JSON', excerpt((error as Error).message));
  }
  if (!isObject(parsed)) return new Refusal('ParseError', 'the document is not a JSON object', excerpt(text));
  const refusal = refusalOfDocument(parsed);
  if (!refusal) return parsed as unknown as SegmentDocument;
  if (typeof parsed.id === 'string') refusal.id = parsed.id;
  return refusal;
}
