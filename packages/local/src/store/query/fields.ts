import { type AttributeColumns, type ColumnType, widened } from '../attribute-columns.ts';
import { quoted } from '../schema.ts';
import { pointerLiteral } from './literal.ts';

/** How a column of Honeycomb's is read from each table that holds events. */
export interface Field {
  key: string;
  type: ColumnType;
  /** Over `spans AS s`, and `span_exceptions AS x` where it needs them. */
  span: string;
  /** Over `other_events AS e`. */
  other: string;
  needsExceptions: boolean;
  /** Whether any event has it. */
  known: boolean;
}

interface Derived {
  sql: string;
  type: ColumnType;
}

/** Honeycomb gives these to a span that comes by OTLP alone. */
const otlp = (sql: string) => `CASE WHEN s.source = 'otlp' THEN ${sql} END`;

/**
 * What Honeycomb makes of an OTLP span beside its attributes. An attribute of the same name wins
 * there too. Source: github.com/honeycombio/husky, otlp/traces.go.
 */
const knownDerived: Record<string, Derived> = {
  'trace.trace_id': { sql: 's.trace_id', type: 'VARCHAR' },
  'trace.span_id': { sql: 's.span_id', type: 'VARCHAR' },
  'trace.parent_id': { sql: 's.parent_id', type: 'VARCHAR' },
  'trace.trace_state': { sql: "(s.detail ->> '$.traceState')", type: 'VARCHAR' },
  name: { sql: 's.name', type: 'VARCHAR' },
  'service.name': { sql: 's.service_name', type: 'VARCHAR' },
  duration_ms: { sql: 's.duration_ms', type: 'DOUBLE' },
  SampleRate: { sql: 's.sample_rate', type: 'DOUBLE' },
  type: { sql: otlp('s.kind'), type: 'VARCHAR' },
  'span.kind': { sql: otlp('s.kind'), type: 'VARCHAR' },
  status_code: { sql: otlp("CASE s.status WHEN 'error' THEN 2 WHEN 'ok' THEN 1 ELSE 0 END"), type: 'BIGINT' },
  status_message: { sql: 's.status_message', type: 'VARCHAR' },
  error: { sql: otlp("CASE WHEN s.status = 'error' THEN true END"), type: 'BOOLEAN' },
  'meta.signal_type': { sql: otlp("'trace'"), type: 'VARCHAR' },
  'span.num_events': { sql: otlp("json_array_length(s.detail, '$.events')"), type: 'BIGINT' },
  'span.num_links': { sql: otlp("json_array_length(s.detail, '$.links')"), type: 'BIGINT' },
  'library.name': { sql: otlp("s.detail ->> '$.scopeName'"), type: 'VARCHAR' },
  'library.version': { sql: otlp("s.detail ->> '$.scopeVersion'"), type: 'VARCHAR' },
};

/** Honeycomb copies these from a span's first exception to the span. */
const exceptionFields: Record<string, ColumnType> = {
  'exception.message': 'VARCHAR',
  'exception.type': 'VARCHAR',
  'exception.stacktrace': 'VARCHAR',
  'exception.escaped': 'BOOLEAN',
};

/** @returns the expression in the other type; text that is not a number becomes null. */
export function cast(sql: string, from: ColumnType, to: ColumnType): string {
  if (from === to) return sql;
  return from === 'VARCHAR' ? `TRY_CAST(${sql} AS ${to})` : `CAST(${sql} AS ${to})`;
}

/** @param otherKeys what is known of the fields of events that are no spans. */
export function resolveField(
  name: string,
  columns: Pick<AttributeColumns, 'get'>,
  otherKeys: ReadonlyMap<string, ColumnType>,
): Field {
  // As the writer makes them: see sqlKeys.
  const key = name.replaceAll('\0', '').toWellFormed();
  const sources: Derived[] = [];
  const column = columns.get(key);
  if (column) sources.push({ sql: `s.${quoted(column.name)}`, type: column.type });
  const derived = Object.hasOwn(knownDerived, key) ? knownDerived[key] : undefined;
  if (derived) sources.push(derived);
  const ofException = Object.hasOwn(exceptionFields, key) ? exceptionFields[key] : undefined;
  const otherType = otherKeys.get(key);
  const isExceptionKnown = ofException !== undefined && otherType !== undefined;
  if (isExceptionKnown) sources.push({ sql: `(x.fields ->> ${pointerLiteral(key)})`, type: 'VARCHAR' });

  const known = sources.length > 0 || otherType !== undefined;
  const types = [...sources.map(({ type }) => type), ...(otherType === undefined ? [] : [otherType])];
  // Honeycomb's trace view counts on this one as a number; a column of texts is read as far as it
  // holds numbers.
  const type =
    key === 'duration_ms' ? 'DOUBLE' : (types.reduce<ColumnType | undefined>(common, undefined) ?? 'VARCHAR');
  const parts = sources.map(({ sql, type: from }) => cast(sql, from, type));
  const other = otherType === undefined ? undefined : `(e.fields ->> ${pointerLiteral(key)})`;
  return {
    key,
    type,
    span:
      parts.length === 0 ? `NULL::${type}` : parts.length === 1 ? (parts[0] ?? '') : `COALESCE(${parts.join(', ')})`,
    other: other === undefined ? `NULL::${type}` : cast(other, 'VARCHAR', type),
    needsExceptions: isExceptionKnown,
    known,
  };
}

function common(one: ColumnType | undefined, other: ColumnType): ColumnType {
  return one === undefined ? other : widened(one, other);
}

/** @returns the names of what every span of OTLP has, with their types. */
export function derivedFields(): [string, ColumnType][] {
  return Object.entries(knownDerived).map(([key, { type }]) => [key, type]);
}
