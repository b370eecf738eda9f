import type { Trace, TraceNode } from '../trace/trace.ts';
import type { SourceMaps, SourcePosition } from './source-maps.ts';

type Frame = TraceNode['exceptions'][number]['stack'][number];

/** A place as V8 writes it: an absolute path, a line, a column. */
const place = /(?:file:\/\/)?(\/[^\s():"'\\]{1,1000}\.[cm]?js):(\d+):(\d+)/g;

/** The same in a stack's line, after the name of the function. */
const labelled =
  /\bat (?:async )?([^\s()][^\n()]{0,200}) \((?:file:\/\/)?(\/[^\s():"'\\]{1,1000}\.[cm]?js):(\d+):(\d+)\)/g;

/**
 * Replaces places in bundles by places in sources, in everything that a trace shows: exceptions,
 * the stacks in attributes and log lines. A place without a source map stays as it is.
 */
export async function mapStacks(trace: Trace, maps: SourceMaps): Promise<Trace> {
  const places = new Places(maps, trace.end);
  const nodes = nodesOf(trace.roots);
  // X-Ray's frames have no column. The same place in a text does.
  places.collectAll(trace.logs.map(({ message, attributes }) => [message, attributes]));
  places.collectAll(nodes.map(({ attributes, events }) => [attributes, events]));
  for (const { exceptions } of nodes) for (const { stack } of exceptions) places.addFrames(stack);
  await places.resolve();
  if (places.size === 0) return trace;
  for (const node of nodes) {
    node.exceptions = node.exceptions.map((exception) => ({
      ...exception,
      stack: exception.stack.map((frame) => places.frame(frame)),
    }));
    node.attributes = places.texts(node.attributes);
    if (node.events) node.events = places.texts(node.events);
  }
  return { ...trace, logs: places.texts(trace.logs) };
}

class Places {
  readonly #maps: SourceMaps;
  readonly #before: number;
  readonly #columns = new Map<string, number>();
  readonly #wanted = new Map<string, { file: string; line: number; column?: number }>();
  readonly #found = new Map<string, SourcePosition>();

  constructor(maps: SourceMaps, before: number) {
    this.#maps = maps;
    // The end of a trace may be rounded down to the millisecond in which its bundle was written.
    this.#before = before + 1;
  }

  get size(): number {
    return this.#found.size;
  }

  collect(text: string): void {
    // Most texts have no stack; the search for one in each of them would be most of a large trace's
    // time.
    if (!text.includes(this.#maps.directory)) return;
    for (const [, file = '', line, column] of text.matchAll(place)) {
      this.#wanted.set(`${file}:${line}:${column}`, { file, line: Number(line), column: Number(column) });
      if (!this.#columns.has(`${file}:${line}`)) this.#columns.set(`${file}:${line}`, Number(column));
    }
    // A line of a minified bundle has more than one function.
    for (const [, label = '', file = '', line, column] of text.matchAll(labelled)) {
      const frame = keyOf(label, file, Number(line));
      if (!this.#columns.has(frame)) this.#columns.set(frame, Number(column));
    }
  }

  collectAll(value: unknown): void {
    if (typeof value === 'string') this.collect(value);
    else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) this.collectAll(one);
  }

  addFrames(stack: Frame[]): void {
    for (const { path, line, label, column: own } of stack) {
      if (path === undefined || line === undefined) continue;
      const file = path.replace(/^file:\/\//, '');
      const column = own ?? this.#columns.get(keyOf(label, file, line)) ?? this.#columns.get(`${file}:${line}`);
      this.#wanted.set(keyOf(label, path, line), { file, line, ...(column !== undefined && { column }) });
    }
  }

  async resolve(): Promise<void> {
    for (const [key, { file, line, column }] of this.#wanted) {
      const position = await this.#maps.position(file, line, column, this.#before);
      if (position) this.#found.set(key, position);
    }
  }

  frame(frame: Frame): Frame {
    const found = this.#found.get(keyOf(frame.label, frame.path, frame.line));
    return found ? { ...frame, ...found } : frame;
  }

  text(text: string): string {
    if (!text.includes(this.#maps.directory)) return text;
    return text.replace(place, (whole, file: string, line: string, column: string) => {
      const found = this.#found.get(`${file}:${line}:${column}`);
      return found ? `${found.path}:${found.line}:${found.column}` : whole;
    });
  }

  /** @returns a copy of a JSON value, of the same form. */
  texts<T>(value: T): T {
    return this.#texts(value) as T;
  }

  #texts(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((one) => this.#texts(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#texts(one)]));
  }
}

/** X-Ray's frames have the function's name beside the line. */
function keyOf(label: string | undefined, file: string | undefined, line: number | undefined): string {
  return `${label ?? ''} ${file}:${line}`;
}

function nodesOf(roots: readonly TraceNode[]): TraceNode[] {
  const nodes = [...roots];
  for (const node of nodes) nodes.push(...node.children);
  return nodes;
}
