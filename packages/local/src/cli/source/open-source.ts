import { realpath } from 'node:fs/promises';
import { ExplainedTraces } from '../../explain/explained-traces.ts';
import { LocalFailure } from '../../local-failure.ts';
import type { Store } from '../../store/index.ts';
import { newestRunRecord } from '../../store/runs/run-record.ts';
import { consoleSource } from './console-source.ts';
import { keptRun } from './find-run.ts';
import type { TraceSource } from './trace-source.ts';

export interface SourceLocation {
  /** The folder that holds serverless.yml. */
  serviceDirectory: string;
  /**
   * The console's address, when the user names it; default: the one that the newest run has written
   * down.
   */
  consoleUrl?: string;
  /** A kept run instead: see `RunLocation`. */
  run?: string;
  /** Called with a sentence for each run that could not be read; default: standard error. */
  onNote?(sentence: string): void;
}

/**
 * Opens the traces of the run that is going on for this service, or else of the newest run that was
 * kept.
 * @throws LocalFailure when there is neither.
 */
export async function openSource({
  serviceDirectory,
  consoleUrl,
  run: named,
  onNote = (sentence) => process.stderr.write(`${sentence}\n`),
}: SourceLocation): Promise<TraceSource> {
  if (named !== undefined) {
    const { openStore } = await import('../../store/index.ts');
    return keptSource(await openStore({ file: await keptRun(serviceDirectory, named), readOnly: true }));
  }
  const url = consoleUrl ?? (await newestRunRecord(serviceDirectory))?.addresses.console;
  const running = url === undefined ? undefined : await consoleSource(url);
  if (running && (await sameDirectory(running.directory, serviceDirectory))) return running.source;
  const { openNewestRun } = await import('../../store/runs/runs.ts');
  const run = await openNewestRun(serviceDirectory);
  if (run === undefined) throw new LocalFailure(nothingKept(serviceDirectory, consoleUrl, running !== undefined));
  const { store, skipped } = run;
  for (const sentence of skipped) onNote(sentence);
  return keptSource(store);
}

function keptSource(store: Store): TraceSource {
  const explained = new ExplainedTraces(store);
  return {
    trace: (id) => explained.trace(id),
    traces: (query) => explained.traces(query),
    orphans: async () => ({ ...(await store.orphans()), rejections: store.rejections() }),
    close: () => store.close(),
  };
}

function nothingKept(directory: string, consoleUrl: string | undefined, other: boolean): string {
  const found = other
    ? `another service runs at ${consoleUrl}`
    : consoleUrl === undefined
      ? 'nothing runs'
      : `nothing runs at ${consoleUrl}`;
  return `There is no trace yet in ${directory}: ${found}, and no run has been kept. Start one with "npx sls local".`;
}

async function sameDirectory(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return first === second;
}
