import type { DuckDBValue } from '@duckdb/node-api';
import type { Holding } from '../trace/query.ts';

const times = `regexp_extract_all(document, '"(?:start|end)_time":([-+0-9.eE]+)', 1)`;
const seconds = `list_transform(${times}, lambda one: try_cast(one AS DOUBLE))`;

/**
 * Compiles what the documents of a trace must hold.
 * @param bind takes a value and gives its placeholder.
 * @returns a condition over the rows of a trace in the table `segments`, for HAVING.
 */
export function holdingSql(holding: Holding, bind: (value: DuckDBValue) => string): string {
  switch (holding.kind) {
    case 'all':
      return `(${holding.parts.map((part) => holdingSql(part, bind)).join(' AND ')})`;
    case 'any':
      return `(${holding.parts.map((part) => holdingSql(part, bind)).join(' OR ')})`;
    case 'text':
      return `bool_or(contains(document, ${bind(holding.text)}))`;
    case 'number': {
      // As text: the client binds every whole number as a BIGINT, and refuses 1e21.
      const operator = holding.operator === '!=' ? '<>' : holding.operator;
      const numbers = `regexp_extract_all(document, ${bind(numberOf(holding.key))}, 1)`;
      const fits = `try_cast(one AS DOUBLE) ${operator} ${bind(String(holding.value))}::DOUBLE`;
      return `bool_or(len(list_filter(${numbers}, lambda one: ${fits})) > 0)`;
    }
    case 'lasting': {
      const longest = `max(list_max(${seconds})) - min(list_min(${seconds}))`;
      return `coalesce(${longest} >= ${bind(String(holding.seconds))}::DOUBLE, true)`;
    }
  }
}

/** @returns a pattern, in RE2's syntax, for a member of JSON with a number. */
function numberOf(key: string): string {
  // RE2 refuses a backslash before a letter that it does not know.
  const literal = JSON.stringify(key).replace(/[!-/:-@[-^`{-~]/g, '\\$&');
  return `${literal}:([-+0-9.eE]+)`;
}
