import type { SegmentCause } from '../../trace/records.ts';
import { newSegmentId } from '../../trace/trace-id.ts';

/** A segment document is limited to 64 KB; the cause may use half of it. */
const maximumCauseBytes = 32 * 1024;
const maximumText = 2000;
const maximumName = 250;

/**
 * Parses the X-Ray cause of an error from its header `Lambda-Runtime-Function-XRay-Error-Cause`.
 * @returns the cause, without fields of a wrong type and cut to X-Ray's sizes; undefined if the
 *   header cannot be parsed.
 */
export function parseCause(header: string | undefined): SegmentCause | undefined {
  if (!header) return undefined;
  let document: unknown;
  try {
    // Node reads headers as Latin-1; AWS's client writes them as UTF-8.
    document = JSON.parse(Buffer.from(header, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(document)) return undefined;
  const whole = causeOf(document, { exceptions: 10, frames: 50 });
  if (Buffer.byteLength(JSON.stringify(whole)) <= maximumCauseBytes) return whole;
  return causeOf(document, { exceptions: 1, frames: 10 });
}

function causeOf(document: Record<string, unknown>, limit: { exceptions: number; frames: number }): SegmentCause {
  const { working_directory: directory, paths } = document;
  return {
    ...(typeof directory === 'string' && { working_directory: directory.slice(0, maximumName) }),
    ...(Array.isArray(paths) && {
      paths: paths
        .filter((path) => typeof path === 'string')
        .slice(0, limit.frames)
        .map((path) => path.slice(0, maximumName)),
    }),
    exceptions: objectsIn(document.exceptions, limit.exceptions).map(({ type, message, stack }) => ({
      id: newSegmentId(),
      ...(typeof type === 'string' && { type: type.slice(0, maximumName) }),
      ...(typeof message === 'string' && { message: message.slice(0, maximumText) }),
      stack: objectsIn(stack, limit.frames).map(({ path, line, label }) => ({
        ...(typeof path === 'string' && { path: path.slice(0, maximumName) }),
        ...(typeof line === 'number' && { line }),
        ...(typeof label === 'string' && { label: label.slice(0, maximumName) }),
      })),
    })),
  };
}

function objectsIn(value: unknown, most: number): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject).slice(0, most) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
