import type { ExplainedTrace } from '../../explain/explained-traces.ts';
import type { TraceQuery } from '../../trace/query.ts';
import type { OrphanReport, TraceSummary } from '../../trace/trace.ts';

/** Where a command reads traces from: a running console, or the store of a run that has ended. */
export interface TraceSource {
  trace(id: string): Promise<ExplainedTrace | undefined>;
  traces(query: TraceQuery): Promise<TraceSummary[]>;
  orphans(): Promise<OrphanReport>;
  /**
   * Each trace as it ends or changes, until `signal` is aborted or the run ends; absent where
   * nothing runs.
   */
  follow?(signal: AbortSignal): AsyncIterable<TraceSummary>;
  /** The API's address, where it runs. */
  api?: string;
  close(): Promise<void>;
}
