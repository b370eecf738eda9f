import {
  ERROR_COLUMNS,
  errorOfRow,
  LOG_COLUMNS,
  logOfRow,
  METRIC_COLUMNS,
  METRICS_WITH_REQUEST,
  metricOfRow,
} from './read-rows.ts';
import type { Reader } from './reader.ts';
import type { Orphans } from './trace.ts';

/**
 * What leads to a trace: a trace id of which there is a segment or a span; or, where a record has none, a request id that a line or a Lambda
 * segment of such a trace has too.
 */
const WITH = `
  WITH traced AS (SELECT trace_id FROM segments UNION SELECT trace_id FROM spans),
  requests AS (
    SELECT request_id FROM logs WHERE request_id IS NOT NULL AND trace_id IN (FROM traced)
    UNION SELECT document ->> '$.aws.request_id' FROM segments WHERE origin IN ('AWS::Lambda', 'AWS::Lambda::Function')
  )`;
const IS_ORPHAN = `CASE WHEN trace_id IS NOT NULL THEN trace_id NOT IN (FROM traced)
  ELSE request_id IS NULL OR NOT EXISTS (FROM requests WHERE requests.request_id = given.request_id) END`;

/** @returns what belongs to no trace, the newest so many of each kind, oldest first. */
export async function readOrphans(reader: Reader, limit: number): Promise<Orphans> {
  const rows = (columns: string, table: string) =>
    reader.rows(
      `${WITH} SELECT * FROM (
         SELECT ${columns}, sequence FROM ${table} AS given WHERE ${IS_ORPHAN} ORDER BY time DESC, sequence DESC LIMIT $1::INTEGER
       ) ORDER BY time, sequence`,
      [limit],
    );
  const [logs, metrics, errors] = await Promise.all([
    rows(LOG_COLUMNS, 'logs'),
    rows(METRIC_COLUMNS, METRICS_WITH_REQUEST),
    rows(ERROR_COLUMNS, 'errors'),
  ]);
  return { logs: logs.map(logOfRow), metrics: metrics.map(metricOfRow), errors: errors.map(errorOfRow) };
}
