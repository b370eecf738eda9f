import type { TelemetrySink } from '../../../trace/records.ts';
import { Refusal, readDocument } from './document.ts';

/**
 * What AWS's newer OpenTelemetry distribution puts where the document would be: otlp, sampled or
 * not, in base64.
 */
const otlp = /^T1[SU]/;

function isHeader(line: string): boolean {
  try {
    const header = JSON.parse(line) as { format?: unknown; version?: unknown } | null;
    return header?.format === 'json' && header.version === 1;
  } catch {
    return false;
  }
}

/**
 * SDKs write it letter for letter the same: JSON is parsed only for a header that is written
 * otherwise.
 */
const usualHeader = '{"format":"json","version":1}';

/** @returns the document that a datagram carries, or why it carries none. */
function documentOf(datagram: string): string | Refusal {
  const end = datagram.indexOf('\n');
  const header = end < 0 ? datagram : datagram.slice(0, end).trim();
  if (end < 0 || (header !== usualHeader && !isHeader(header))) {
    const expected = 'the header is not {"format":"json","version":1} and a line end';
    return new Refusal('InvalidHeader', expected, datagram.slice(0, 100));
  }
  const body = datagram.slice(end + 1);
  if (body.trim() === '') return new Refusal('MissingDocument', 'the datagram has a header and no document', '');
  if (!otlp.test(body)) return body;
  const detail = `${body.slice(0, 3)}, ${body.length} bytes`;
  return new Refusal('UnsupportedFormat', 'OTLP in a datagram is not read here, send it over HTTP', detail);
}

/**
 * Takes one datagram as the X-Ray daemon does: a header line, then one document.
 * The sink counts whatever is wrong with it under `xray`.
 */
export function takeDatagram(datagram: string, sink: TelemetrySink): void {
  const text = documentOf(datagram);
  const document = text instanceof Refusal ? text : readDocument(text);
  if (document instanceof Refusal) sink.rejected('xray', document.reason, document.detail);
  else sink.segment(document);
}
