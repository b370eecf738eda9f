import { existsSync } from 'node:fs';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import type { LocalFunction } from '../service/model.ts';

/**
 * Where a function's handler is written, and whether it has to be built before Lambda can load it.
 */
export interface HandlerSource {
  lambda: LocalFunction;
  /** Absolute path. */
  file: string;
  /** TypeScript is bundled; JavaScript runs from its place, as it would be deployed. */
  kind: 'typescript' | 'javascript';
}

const typescript = ['.ts', '.mts', '.cts', '.tsx'];
const javascript = ['.js', '.cjs', '.mjs'];

/**
 * @returns the file behind `handler: <path>.<export>`.
 * @throws {LocalFailure} when there is none.
 */
export function findHandlerSource(lambda: LocalFunction, serviceDirectory: string): HandlerSource {
  const stem = handlerStem(lambda.handler);
  const find = (endings: string[]) =>
    endings.map((ending) => path.resolve(serviceDirectory, stem + ending)).find((file) => existsSync(file));
  const written = find(typescript);
  if (written) return { lambda, file: written, kind: 'typescript' };
  const plain = find(javascript);
  if (plain) return { lambda, file: plain, kind: 'javascript' };
  throw new LocalFailure(
    `functions.${lambda.key}.handler is "${lambda.handler}", but there is no file ${stem} ending in ${[...typescript, ...javascript].join(', ')}.`,
  );
}

/**
 * @returns the path part of `a/b.c/handler.export.nested`: Lambda cuts at the first dot of the last
 * path segment.
 */
export function handlerStem(handler: string): string {
  const slash = handler.lastIndexOf('/') + 1;
  const dot = handler.indexOf('.', slash);
  return dot === -1 ? handler : handler.slice(0, dot);
}
