import { child, type SourceText } from './source-text.ts';
import { InvalidQuerySpecification, type QueryProblem } from './specification.ts';

/** Collects what is wrong with a query, so that all of it is said at once. */
export class Problems {
  readonly #source: SourceText;
  readonly #found: QueryProblem[] = [];

  constructor(source: SourceText) {
    this.#source = source;
  }

  add(pointer: string, message: string): void {
    this.#found.push({ ...this.#source.place(pointer), message });
  }

  /** @throws InvalidQuerySpecification when anything was added. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new InvalidQuerySpecification(this.#found);
  }
}

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns `"x"`, cut short, as it is shown within a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** @returns what `value` is, in a word: for "must be …, not …". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return shown(value);
}

/** Honeycomb's own limit on each list. */
const mostElements = 100;

/**
 * @returns the elements of the list at `key` with their pointers; none where the key is missing or
 * null.
 */
export function elementsOf(object: JsonObject, key: string, problems: Problems): { pointer: string; value: unknown }[] {
  const value = object[key];
  if (value === undefined || value === null) return [];
  const pointer = child('', key);
  if (!Array.isArray(value)) {
    problems.add(pointer, `"${key}" must be a list, not ${kindOf(value)}.`);
    return [];
  }
  if (value.length > mostElements) problems.add(pointer, `"${key}" has more than ${mostElements} elements.`);
  return value.map((element, at) => ({ pointer: child(pointer, at), value: element }));
}

/**
 * Reports each key of `object` that is not among `known`; `unsupported` says why one that Honeycomb
 * knows is not.
 */
export function checkKeys(
  object: JsonObject,
  pointer: string,
  known: readonly string[],
  problems: Problems,
  unsupported: Readonly<Record<string, string>> = {},
): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    const reason = Object.hasOwn(unsupported, key) ? unsupported[key] : undefined;
    // An empty or absent value asks for nothing.
    const value = object[key];
    if (reason && (value === null || (Array.isArray(value) && value.length === 0))) continue;
    problems.add(
      child(pointer, key),
      reason ? `"${key}" is not supported: ${reason}.` : `${shown(key)} is not a key here: use ${known.join(', ')}.`,
    );
  }
}

/** @returns the value at `key` when it is one of `allowed`. */
export function oneOf<T extends string>(
  object: JsonObject,
  key: string,
  allowed: readonly T[],
  pointer: string,
  problems: Problems,
): T | undefined {
  const value = object[key];
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  const list = allowed.join(', ');
  if (value === undefined) problems.add(pointer, `"${key}" is missing: one of ${list}.`);
  else problems.add(child(pointer, key), `${shown(value)} is not a known "${key}": use one of ${list}.`);
  return undefined;
}
