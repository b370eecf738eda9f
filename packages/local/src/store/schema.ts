import { BIGINT, BOOLEAN, DOUBLE, type DuckDBType, LIST, VARCHAR } from '@duckdb/node-api';
import { joinViews } from './join.ts';

/**
 * Written into each file. A file of another version is not read: runs are kept for days and not
 * migrated.
 */
export const schemaVersion = 2;

export const knownTables = ['segments', 'spans', 'logs', 'metrics', 'errors'] as const;
export type TableName = (typeof knownTables)[number];

type Columns = Record<string, DuckDBType>;

/**
 * One table per signal, in the order of their columns. `sequence` is the order of arrival over all
 * tables: where two records compete, the newest is known. Times are epoch milliseconds, but a
 * span's, which are nanoseconds. `document`, `detail`, `attributes`, `dimensions` and `item` are
 * JSON as text: read back whole, never queried. `detail` is whatever a record has beyond the
 * columns, so that a field that is added to records.ts is kept without a change here.
 */
export const knownColumns: Record<TableName, Columns> = {
  segments: {
    sequence: BIGINT,
    trace_id: VARCHAR,
    id: VARCHAR,
    parent_id: VARCHAR,
    name: VARCHAR,
    origin: VARCHAR,
    start_time: DOUBLE,
    end_time: DOUBLE,
    // When it arrived here.
    received: DOUBLE,
    // Of the invocation that a Lambda segment describes.
    request_id: VARCHAR,
    // An error, fault or throttle anywhere in the document: a first filter for questions about
    // whole traces.
    troubled: BOOLEAN,
    document: VARCHAR,
  },
  // Beside these, one column per attribute: see attribute-columns.ts.
  spans: {
    sequence: BIGINT,
    source: VARCHAR,
    trace_id: VARCHAR,
    span_id: VARCHAR,
    parent_id: VARCHAR,
    name: VARCHAR,
    kind: VARCHAR,
    start_nanoseconds: BIGINT,
    end_nanoseconds: BIGINT,
    duration_ms: DOUBLE,
    status: VARCHAR,
    status_message: VARCHAR,
    service_name: VARCHAR,
    sample_rate: DOUBLE,
    detail: VARCHAR,
  },
  logs: {
    sequence: BIGINT,
    source: VARCHAR,
    time: DOUBLE,
    log_group: VARCHAR,
    log_stream: VARCHAR,
    message: VARCHAR,
    trace_id: VARCHAR,
    span_id: VARCHAR,
    request_id: VARCHAR,
    level: VARCHAR,
    function_name: VARCHAR,
    attributes: VARCHAR,
    detail: VARCHAR,
  },
  metrics: {
    sequence: BIGINT,
    source: VARCHAR,
    time: DOUBLE,
    namespace: VARCHAR,
    name: VARCHAR,
    unit: VARCHAR,
    dimensions: VARCHAR,
    metric_values: LIST(DOUBLE),
    trace_id: VARCHAR,
    request_id: VARCHAR,
    detail: VARCHAR,
  },
  errors: {
    sequence: BIGINT,
    time: DOUBLE,
    uuid: VARCHAR,
    level: VARCHAR,
    title: VARCHAR,
    fingerprint: VARCHAR,
    environment: VARCHAR,
    code_version: VARCHAR,
    context: VARCHAR,
    person_id: VARCHAR,
    trace_id: VARCHAR,
    request_id: VARCHAR,
    item: VARCHAR,
    detail: VARCHAR,
  },
};

const otherTables = [
  'CREATE TABLE IF NOT EXISTS schema (version INTEGER)',
  'CREATE TABLE IF NOT EXISTS span_attributes (key VARCHAR PRIMARY KEY, column_name VARCHAR, type VARCHAR)',
  'CREATE TABLE IF NOT EXISTS rejections (receiver VARCHAR, reason VARCHAR, detail VARCHAR, count BIGINT)',
];

/** @returns `name` as an SQL identifier, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * @returns the statements that make every table of an empty file; on a file that has them they
 * change nothing.
 */
export function schemaStatements(): string[] {
  const tables = knownTables.map((table) => {
    const columns = Object.entries(knownColumns[table]).map(([name, type]) => `${quoted(name)} ${type}`);
    return `CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')})`;
  });
  return [
    ...tables,
    ...otherTables,
    ...joinViews,
    `INSERT INTO schema SELECT ${schemaVersion} WHERE NOT EXISTS (SELECT 1 FROM schema)`,
  ];
}
