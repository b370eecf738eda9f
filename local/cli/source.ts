import { realpath } from 'node:fs/promises';
import type { TraceListQuery } from '../api/console/query.ts';
import { LocalFailure } from '../failure.ts';
import type { Rejection } from '../store/rejections.ts';
import type { Orphans, Trace, TraceSummary } from '../store/trace.ts';
import { consoleSource } from './console-source.ts';

/** What belongs to no trace, and what could not be taken. */
export interface OrphanReport extends Orphans {
  rejections: Rejection[];
}

/** Where `sls trace` reads traces from. */
export interface TraceSource {
  trace(id: string): Promise<Trace | undefined>;
  traces(query: TraceListQuery): Promise<TraceSummary[]>;
  orphans(): Promise<OrphanReport>;
  /** Each trace as it ends or changes, until `signal` is aborted or the run ends; absent where nothing runs. */
  follow?(signal: AbortSignal): AsyncIterable<TraceSummary>;
  /** The API's address, where it runs. */
  api?: string;
  close(): Promise<void>;
}

/**
 * Finds what is running at `consoleUrl` for this service, else the newest run that has ended.
 * @throws LocalFailure when there is neither, in one sentence.
 */
export async function openSource(consoleUrl: string, serviceDirectory: string): Promise<TraceSource> {
  const running = await consoleSource(consoleUrl);
  if (running && (await sameDirectory(running.directory, serviceDirectory))) return running.source;
  const [{ openStore }, { latestRun }] = await Promise.all([import('../store/index.ts'), import('../store/runs.ts')]);
  const file = await latestRun(serviceDirectory);
  if (file === undefined) {
    const other = running ? `what runs at ${consoleUrl} is another service` : `nothing runs at ${consoleUrl}`;
    throw new LocalFailure(`There is no trace yet: ${other}, and no run has been kept. Start one by "npx sls local".`);
  }
  const store = await openStore({ file, readOnly: true }).catch((error: Error) => {
    throw new LocalFailure(
      `Nothing answers at ${consoleUrl}, and the last run cannot be read (${firstLine(error)}). If it is still running, say where by --console-port.`,
    );
  });
  return {
    trace: (id) => store.trace(id),
    traces: (query) => store.traces(query),
    orphans: async () => ({ ...(await store.orphans()), rejections: store.rejections() }),
    close: () => store.close(),
  };
}

/** Without its full stop: it stands within a sentence. */
function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? message).replace(/\.$/, '');
}

async function sameDirectory(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return first === second;
}
