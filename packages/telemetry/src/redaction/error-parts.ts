import { isNativeError } from 'node:util/types';

/** An error's parts, read with care: any member may be a getter that throws. */
export interface ErrorParts {
  name: unknown;
  message: unknown;
  stack: unknown;
  /** `ECONNREFUSED`, a service's own error code. */
  code: unknown;
  cause: unknown;
  /** The errors of an AggregateError. */
  errors: unknown;
}

/** Members that are described as such; all others are an error's own fields. */
export const namedMembers: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);

export function errorParts(error: object): ErrorParts {
  return {
    name: readMember(error, 'name'),
    message: readMember(error, 'message'),
    stack: readMember(error, 'stack'),
    code: readMember(error, 'code'),
    cause: readMember(error, 'cause'),
    errors: readMember(error, 'errors'),
  };
}

/** @returns whether it is an error: of another realm too, as those of `vm` are. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || isNativeError(value);
  } catch {
    return false;
  }
}

const mostLinks = 20;

/**
 * Finds why an error happened: the cause of its cause, to the end. Of several errors, the first
 * one's.
 * @returns the error itself when nothing is below it.
 */
export function deepestCause(error: unknown): unknown {
  const seen = new Set<unknown>();
  let deepest = error;
  while (seen.size < mostLinks) {
    seen.add(deepest);
    const next = isError(deepest) ? nextCause(deepest) : undefined;
    if (next === undefined || next === null || seen.has(next)) break;
    deepest = next;
  }
  return deepest;
}

function nextCause(error: object): unknown {
  const { cause, errors } = errorParts(error);
  if (cause !== undefined && cause !== null) return cause;
  try {
    return Array.isArray(errors) ? errors[0] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns one line that says why: `ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1`; undefined
 * where the error itself says it.
 */
export function reasonOf(error: unknown): string | undefined {
  const deepest = deepestCause(error);
  if (deepest === error) return undefined;
  if (!isError(deepest)) return typeof deepest === 'string' ? deepest : undefined;
  const { name, message, code } = errorParts(deepest);
  const text = typeof message === 'string' ? message : '';
  const kind = typeof code === 'string' && code ? code : typeof name === 'string' ? name : 'Error';
  return text ? `${kind}: ${text}` : kind;
}

export function readMember(value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch {
    return '[unreadable]';
  }
}
