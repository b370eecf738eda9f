import { inline } from '../format/node.ts';
import { inOrder, type Trace, type TraceNode } from '../trace/trace.ts';

/** One thing that was thrown. */
export interface Thrown {
  type?: string;
  message: string;
  /** `file.ts:12`, of the service's own code. */
  place?: string;
  node?: string;
  log?: number;
}

/** An exception from the outermost to the deepest cause. */
export interface Failure {
  outer: Thrown;
  deepest: Thrown;
  /** The deepest node that the exception passed through. */
  node?: TraceNode;
}

/** Frames that are not the service's own code. */
const foreign = /(^|\/)node_modules\/|^node(:|$)|^\/var\/runtime\/|^\/opt\/|^internal\/|^<anonymous>$|^native$/;

/**
 * Finds what made the request fail: the exception that left the function, down to its deepest
 * cause.
 * @returns undefined when nothing in the trace names one.
 */
export function failureOf(trace: Trace): Failure | undefined {
  const nodes = [...inOrder(trace.roots)].filter(({ exceptions }) => exceptions.length > 0);
  const logged = trace.logs.flatMap((log, index) => chainsIn(log.message, log.attributes, index));
  const shallow = nodes.find(({ fault, error }) => fault || error);
  const outermost = shallow?.exceptions.at(-1);
  const top: Thrown | undefined = outermost ? thrownOf(outermost, shallow) : logged[0]?.[0];
  if (!top) return undefined;
  const isSame = (one: Thrown) => one.message === top.message || (one.type === top.type && redacted(one, top));
  // The same exception is recorded in each node that it left; the deepest one is where it was
  // thrown.
  const within = nodes.filter(({ exceptions }) => exceptions.some((one) => isSame(thrownOf(one)))).at(-1) ?? shallow;
  const recorded = (within?.exceptions ?? []).map((one) => thrownOf(one, within)).reverse();
  const chains = [...logged.filter(([first]) => first && isSame(first)), ...(recorded.length > 0 ? [recorded] : [])];
  const chain = chains.sort((one, other) => other.length - one.length)[0] ?? [top];
  const deepest = { ...(chain.at(-1) ?? top) };
  const placed = [...chain].reverse().find(({ place }) => place) ?? chains.flat().find(({ place }) => place);
  if (!deepest.place && placed?.place) deepest.place = placed.place;
  return { outer: top, deepest, ...(within && { node: within }) };
}

/** A message may have been redacted in one of two places. */
function redacted(one: Thrown, other: Thrown): boolean {
  return /\[redacted\]/i.test(one.message) || /\[redacted\]/i.test(other.message);
}

function thrownOf(exception: TraceNode['exceptions'][number], node?: TraceNode): Thrown {
  const { type, message = '', stack } = exception;
  const frame = stack.find(({ path }) => path && !foreign.test(path));
  return {
    ...(type !== undefined && { type }),
    message,
    ...(frame?.path && { place: shortPlace(frame.path, frame.line) }),
    ...(node && { node: node.id }),
  };
}

/** @returns the errors in a log line, each as a chain from the outermost to the deepest. */
function chainsIn(message: string, attributes: Record<string, unknown> | undefined, log: number): Thrown[][] {
  const chains: Thrown[][] = [];
  const brace = message.indexOf('{');
  const fields = brace < 0 ? undefined : parsed(message.slice(brace));
  if (fields) {
    const error = fields.error ?? fields.err ?? fields.exception;
    for (const one of [error, 'errorType' in fields ? fields : undefined]) {
      const chain = chainOf(one, log);
      if (chain.length > 0) chains.push(chain);
    }
  }
  const type = attributes?.['exception.type'];
  const said = attributes?.['exception.message'];
  if (typeof said === 'string') {
    const place = placeIn(attributes?.['exception.stacktrace']);
    chains.push([{ message: said, log, ...(typeof type === 'string' && { type }), ...(place && { place }) }]);
  }
  return chains;
}

function chainOf(error: unknown, log: number): Thrown[] {
  const chain: Thrown[] = [];
  for (let value = error; chain.length < 10 && typeof value === 'object' && value !== null; ) {
    const fields = value as Record<string, unknown>;
    const message = fields.errorMessage ?? fields.message;
    if (typeof message !== 'string') break;
    const type = fields.errorType ?? fields.name ?? fields.type;
    const place = placeIn(fields.stack ?? fields.stackTrace ?? fields.trace);
    chain.push({ message, log, ...(typeof type === 'string' && { type }), ...(place && { place }) });
    const { cause, errors } = fields;
    value = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return chain;
}

function placeIn(stack: unknown): string | undefined {
  const lines = Array.isArray(stack) ? stack : typeof stack === 'string' ? stack.split('\n') : [];
  for (const line of lines) {
    const [, path, number] =
      /(?:\(|at (?:async )?)(?:file:\/\/)?([^\s()]+?):(\d+)(?::\d+)?\)?\s*$/.exec(String(line)) ?? [];
    if (path && !foreign.test(path)) return shortPlace(path, Number(number));
  }
  return undefined;
}

function shortPlace(path: string, line: number | undefined): string {
  const short = path.replace(/^\/var\/task\//, '').replace(/^.*?\/(?=\.throughline\/)/, '');
  return line === undefined ? short : `${short}:${line}`;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @returns `TypeError: message`; a plain Error by its message alone, and always one line of bounded
 * length.
 */
export function described({ type, message }: Thrown): string {
  const name = type && type !== 'Error' && !message.startsWith(type) ? `${type}: ` : '';
  const text = inline(`${name}${message || 'no message'}`).replace(/\s+/g, ' ');
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
