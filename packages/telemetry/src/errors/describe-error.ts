import { errorParts, isError, reasonOf } from '../redaction/error-parts.ts';
import { redactText } from '../redaction/redact.ts';
import { toScalar } from '../redaction/sanitize.ts';

/**
 * A redacted, bounded copy of an error, with its causes. The same copy each time, by which X-Ray
 * links a cause to its first place.
 */
export interface DescribedError extends Error {
  code?: string;
  cause?: DescribedError;
  errors?: DescribedError[];
  /** Why it happened, in one line, by the deepest cause; absent where the error has no cause. */
  reason?: string;
}

const copies = new WeakMap<object, DescribedError>();
const deepestLevel = 5;
/**
 * Errors of one AggregateError, and errors in one description: `Promise.any` may reject with
 * thousands.
 */
const mostErrors = 10;
const mostCopies = 25;

/**
 * Describes whatever was thrown, once, for logs, X-Ray, OpenTelemetry and Rollbar: name, message,
 * stack, code, `cause` and `errors`. Nothing secret is left in it, and no circle.
 */
export function describeError(thrown: unknown): DescribedError {
  return copyOf(thrown, deepestLevel, { left: mostCopies, path: new Set() });
}

/** @returns the error and what caused it, the deepest cause first. */
export function causesOf(error: DescribedError): DescribedError[] {
  const below = [...(error.cause ? [error.cause] : []), ...(error.errors ?? [])];
  return [...below.flatMap(causesOf), error];
}

interface Progress {
  left: number;
  /** The errors around this one: an error may be its own cause. */
  path: Set<unknown>;
}

function copyOf(thrown: unknown, levels: number, progress: Progress): DescribedError {
  if (typeof thrown !== 'object' || thrown === null) return notAnError(thrown);
  const known = copies.get(thrown);
  if (known) return known;
  progress.left -= 1;
  progress.path.add(thrown);
  const parts = errorParts(thrown);
  const message = redactText(textOr(parts.message, () => String(toScalar(thrown)))).slice(0, 4_096);
  const copy = new Error(message) as DescribedError;
  copy.name = redactText(textOr(parts.name, () => 'Error')).slice(0, 250);
  copy.stack = redactText(textOr(parts.stack, () => `${copy.name}: ${copy.message}`)).slice(0, 16_384);
  const code = typeof parts.code === 'number' ? String(parts.code) : parts.code;
  if (typeof code === 'string' && code) copy.code = redactText(code).slice(0, 250);
  copies.set(thrown, copy);
  const below = (value: unknown): DescribedError[] => {
    if (value === undefined || value === null || progress.path.has(value)) return [];
    return levels > 1 && progress.left > 0 ? [copyOf(value, levels - 1, progress)] : [];
  };
  const [cause] = below(parts.cause);
  if (cause) copy.cause = cause;
  if (Array.isArray(parts.errors)) {
    const errors = parts.errors.slice(0, mostErrors).flatMap(below);
    if (errors.length > 0) copy.errors = errors;
  }
  progress.path.delete(thrown);
  const reason = isError(thrown) ? reasonOf(thrown) : undefined;
  if (reason !== undefined) copy.reason = redactText(reason).slice(0, 1_024);
  return copy;
}

function notAnError(thrown: unknown): DescribedError {
  const isNothing = thrown === undefined || thrown === null;
  const text = isNothing ? `${thrown} was thrown` : redactText(String(toScalar(thrown))).slice(0, 4_096);
  const copy = new Error(text) as DescribedError;
  // The stack of this code says nothing of the place where it was thrown.
  copy.stack = `${copy.name}: ${copy.message}`;
  return copy;
}

function textOr(value: unknown, otherwise: () => string): string {
  return typeof value === 'string' ? value : otherwise();
}
