import { type DocumentNode, evaluate, parse, type ValueNode } from '@humanwhocodes/momoa';
import { InvalidQuerySpecification, type Place } from './specification.ts';

/** A JSON text, with the place of each of its values. */
export interface SourceText {
  value: unknown;
  /**
   * @param pointer of a value; of one that is missing, the place of the nearest value around it.
   */
  place(pointer: string): Place;
}

/** A query of this size is not written by a person. */
const mostCharacters = 1_000_000;
const deepest = 50;

/**
 * Parses JSON and keeps where each value stands.
 * @throws InvalidQuerySpecification with the place where the text stops being JSON, a key stands
 *   twice, or a number is not exact.
 */
export function parseSource(text: string): SourceText {
  if (text.length > mostCharacters) throw failed('The query is longer than 1,000,000 characters.', 1, 1);
  let document: DocumentNode;
  try {
    document = parse(text.replace(/^\uFEFF/, ''), { mode: 'json' });
    checkDepth(document.body);
  } catch (error) {
    if (error instanceof InvalidQuerySpecification) throw error;
    if (error instanceof RangeError) throw failed(`The query nests deeper than ${deepest} levels.`, 1, 1);
    const { message, line = 1, column = 1 } = error as Error & { line?: number; column?: number };
    const reason = message.replace(/ \(\d+:\d+\)$/, '').replace(/\.$/, '');
    throw failed(`The query is not valid JSON: ${reason}.`, line, column);
  }
  const places = new Map<string, Place>();
  const value = read(document.body, '', places);
  return { value, place: (pointer) => nearest(places, pointer) };
}

function failed(message: string, line: number, column: number): InvalidQuerySpecification {
  return new InvalidQuerySpecification([{ pointer: '', line, column, message }]);
}

function checkDepth(node: ValueNode, depth = 0): void {
  const { line, column } = node.loc.start;
  if (depth > deepest) throw failed(`The query nests deeper than ${deepest} levels.`, line, column);
  if (node.type === 'Object') for (const member of node.members) checkDepth(member.value, depth + 1);
  if (node.type === 'Array') for (const element of node.elements) checkDepth(element.value, depth + 1);
}

function read(node: ValueNode, pointer: string, places: Map<string, Place>): unknown {
  const { line, column } = node.loc.start;
  places.set(pointer, { pointer, line, column });
  if (node.type === 'Array') {
    return node.elements.map((element, at) => read(element.value, `${pointer}/${at}`, places));
  }
  if (node.type === 'Object') {
    const object: Record<string, unknown> = Object.create(null);
    for (const { name, value } of node.members) {
      const key = name.type === 'String' ? name.value : name.name;
      if (Object.hasOwn(object, key)) {
        throw failed(`The key "${key}" stands twice in one object.`, name.loc.start.line, name.loc.start.column);
      }
      object[key] = read(value, child(pointer, key), places);
    }
    return object;
  }
  if (node.type === 'Number' && Number.isInteger(node.value) && !Number.isSafeInteger(node.value)) {
    // JSON's readers would round it, and compare with another number than the one written.
    throw failed('A whole number beyond 2^53 is not exact here: write it as a string.', line, column);
  }
  return evaluate(node);
}

/** @returns the pointer of a member or element. */
export function child(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function nearest(places: Map<string, Place>, pointer: string): Place {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const found = places.get(at);
    if (found) return { ...found, pointer };
    if (at === '') return { pointer, line: 1, column: 1 };
  }
}
