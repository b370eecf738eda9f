/**
 * Which records belong to a trace, in one place. A record belongs to the trace whose id it carries;
 * without a trace id, to the traces in which a log line or a Lambda segment has its request id.
 */
export const joinViews = [
  `CREATE OR REPLACE VIEW traced AS SELECT trace_id FROM segments UNION SELECT trace_id FROM spans`,
  `CREATE OR REPLACE VIEW trace_requests AS
     SELECT trace_id, request_id FROM logs WHERE trace_id IS NOT NULL AND request_id IS NOT NULL
     UNION SELECT trace_id, request_id FROM segments WHERE request_id IS NOT NULL`,
];

/** The condition for rows of the trace `$1`, on any table with a trace id and a request id. */
export const ofTrace = `(trace_id = $1 OR (trace_id IS NULL AND request_id IN
  (SELECT request_id FROM trace_requests WHERE trace_id = $1)))`;

/** The condition for rows that belong to no trace with a segment or a span. */
export const isOrphan = `CASE WHEN trace_id IS NOT NULL THEN trace_id NOT IN (FROM traced)
  ELSE request_id IS NULL OR request_id NOT IN
    (SELECT request_id FROM trace_requests WHERE trace_id IN (FROM traced)) END`;
