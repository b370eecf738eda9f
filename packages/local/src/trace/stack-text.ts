import type { TraceNode } from './trace.ts';

type Frame = TraceNode['exceptions'][number]['stack'][number];

/** Frames that are read; a recursion without an end repeats them. */
const mostFrames = 100;

/**
 * V8's `at label (path:line:column)`, Java's `at label(file:line)`, Python's `File "path", line 3,
 * in label`.
 */
const V8 = /^\s*at (?:(?:async )?(.{1,500}?) \()?(?:file:\/\/)?([^()]{1,1000}?):(\d{1,9}):(\d{1,9})\)?$/;
const javaPattern = /^\s*at ([^()]{1,500})\(([^():]{1,500})(?::(\d{1,9}))?\)$/;
const pythonPattern = /^\s*File "([^"]{1,1000})", line (\d{1,9})(?:, in (.{1,500}))?$/;

/** @returns the frames of `exception.stacktrace`, as far as their form is known. */
export function readStack(text: unknown): Frame[] {
  if (typeof text !== 'string') return [];
  return text
    .split('\n')
    .slice(0, mostFrames * 2)
    .flatMap((line) => frameOf(line) ?? [])
    .slice(0, mostFrames);
}

function frameOf(line: string): Frame | undefined {
  const v8 = V8.exec(line);
  if (v8) return { ...(v8[1] && { label: v8[1] }), path: v8[2] ?? '', line: Number(v8[3]), column: Number(v8[4]) };
  const java = javaPattern.exec(line);
  if (java) return { label: java[1] ?? '', path: java[2] ?? '', ...(java[3] && { line: Number(java[3]) }) };
  const python = pythonPattern.exec(line);
  if (python) return { path: python[1] ?? '', line: Number(python[2]), ...(python[3] && { label: python[3] }) };
  return undefined;
}
