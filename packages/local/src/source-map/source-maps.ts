import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEAST_UPPER_BOUND, originalPositionFor, sourceContentFor, TraceMap } from '@jridgewell/trace-mapping';

/** A place in a source file, as its author knows it. Lines and columns count from 1. */
export interface SourcePosition {
  /** Relative to the service's folder. */
  path: string;
  line: number;
  column: number;
  /** The line and its neighbours, as they were when the bundle was built. */
  source: { line: number; text: string }[];
}

interface Version {
  /** When the map was written, epoch milliseconds. */
  time: number;
  map: TraceMap;
}

/** Lines shown before and after the one in question. */
const neighbours = 2;
const maximumLine = 200;
/** A map of a bundle is a few megabytes; a much larger one is not read. */
const maximumBytes = 64 * 1024 * 1024;
/**
 * Rebuilds whose maps are kept, so that the stacks of a moment ago still lead to the code that ran.
 */
const versionsKept = 5;
const tailBytes = 4096;

/**
 * Finds the source of places in bundles, by the source maps beside them. Node itself reads none, so
 * a cold start pays nothing.
 */
export class SourceMaps {
  readonly directory: string;
  readonly #versions = new Map<string, Version[]>();

  /**
   * @param directory the service's folder, absolute: telemetry names any path, and files elsewhere
   * are not read.
   */
  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * @param column without it, the first place of the line is taken: X-Ray's frames have none.
   * @param before epoch milliseconds: a map that was written later belongs to other code.
   * @returns undefined where the file has no map, or the place is not in it.
   */
  async position(
    file: string,
    line: number,
    column: number | undefined,
    before: number,
  ): Promise<SourcePosition | undefined> {
    const bundle = path.resolve(file);
    if (!this.#isInside(bundle)) return undefined;
    const map = (await this.#versionsOf(bundle)).findLast(({ time }) => time <= before)?.map;
    if (!map || line < 1) return undefined;
    const found = originalPositionFor(
      map,
      column === undefined ? { line, column: 0, bias: LEAST_UPPER_BOUND } : { line, column: Math.max(0, column - 1) },
    );
    if (found.source === null) return undefined;
    const source = path.resolve(path.dirname(bundle), found.source.replace(/^file:\/\//, ''));
    return {
      path: path.relative(this.directory, source),
      line: found.line,
      column: found.column + 1,
      source: linesAround(sourceContentFor(map, found.source), found.line),
    };
  }

  #isInside(file: string): boolean {
    return file.startsWith(this.directory + path.sep);
  }

  async #versionsOf(bundle: string): Promise<Version[]> {
    const versions = this.#versions.get(bundle) ?? [];
    this.#versions.set(bundle, versions);
    const newest = await this.#read(bundle, versions.at(-1)?.time).catch(() => undefined);
    if (newest) {
      versions.push(newest);
      if (versions.length > versionsKept) versions.shift();
    }
    return versions;
  }

  /**
   * @param known when the newest map that is known was written. @returns undefined where there is
   * none newer.
   */
  async #read(bundle: string, known: number | undefined): Promise<Version | undefined> {
    const beside = `${bundle}.map`;
    const { mtimeMs, size } = await stat(beside).catch(() => stat(bundle));
    if (mtimeMs === known || size > maximumBytes) return undefined;
    const text = await readFile(beside, 'utf8').catch(() => this.#named(bundle));
    return text === undefined ? undefined : { time: mtimeMs, map: new TraceMap(text) };
  }

  /** @returns the map that the bundle's last line names, in itself or by a file. */
  async #named(bundle: string): Promise<string | undefined> {
    const url = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(await lastBytes(bundle))?.[1];
    const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/.exec(url ?? '');
    if (inline) {
      const [, base64, data = ''] = inline;
      return base64 ? Buffer.from(data, 'base64').toString('utf8') : decodeURIComponent(data);
    }
    if (url === undefined) return undefined;
    const file = url.startsWith('file:') ? fileURLToPath(url) : path.resolve(path.dirname(bundle), url);
    return this.#isInside(file) ? readFile(file, 'utf8') : undefined;
  }
}

/**
 * An inline map is as long as the bundle, a name is short: the whole file is read only where the
 * short end is not enough.
 */
async function lastBytes(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(Math.min(size, tailBytes)), {
      position: Math.max(0, size - tailBytes),
    });
    const tail = buffer.toString('utf8');
    if (tail.includes('sourceMappingURL') || !/^[\w+/=]+\s*$/.test(tail)) return tail;
    return readFile(file, 'utf8');
  } finally {
    await handle.close();
  }
}

function linesAround(content: string | null, line: number): SourcePosition['source'] {
  if (content === null) return [];
  const from = Math.max(0, line - 1 - neighbours);
  return content
    .split('\n')
    .slice(from, line + neighbours)
    .map((text, index) => ({ line: from + index + 1, text: text.slice(0, maximumLine).trimEnd() }));
}
