import type { DuckDBValue } from '@duckdb/node-api';
import { InvalidQuerySpecification, type QueryProblem, type QuerySpecification } from '../../query/specification.ts';
import type { SavedQuery } from '../../query/validate.ts';
import type { Base } from './base.ts';
import type { Field } from './fields.ts';

/** Yields each column that the query names, with its place. */
export function* columnsOf({ calculations, filters, breakdowns }: QuerySpecification) {
  for (const [at, { column }] of calculations.entries()) {
    if (column !== undefined) yield { column, pointer: `/calculations/${at}/column` };
  }
  for (const [at, { column }] of filters.entries()) yield { column, pointer: `/filters/${at}/column` };
  for (const [at, column] of breakdowns.entries()) yield { column, pointer: `/breakdowns/${at}` };
}

/**
 * Tells whether events other than spans can be part of the answer. Reading the events of spans
 * means a look at every span, which queries about spans alone don't need.
 */
export function otherEventsNeeded({ filters, filterCombination, calculations, breakdowns }: QuerySpecification) {
  const excludes = (column: string, op: string) =>
    (filterCombination === 'AND' || filters.length === 1) &&
    filters.some((filter) => filter.column === column && filter.op === op);
  const names = [...filters, ...calculations].map(({ column }) => column ?? '').concat(breakdowns);
  const exceptions = names.some((name) => name.startsWith('exception.'));
  if (excludes('trace.span_id', 'exists')) return { any: exceptions, ofSpans: exceptions };
  return { any: true, ofSpans: exceptions || !excludes('trace.parent_id', 'does-not-exist') };
}

const numbersOnlyExcept = ['COUNT', 'COUNT_DISTINCT', 'CONCURRENCY'];

/** Yields a problem for each calculation that its column's type rules out. */
export function* unfit(
  { calculations }: QuerySpecification,
  fields: ReadonlyMap<string, Field>,
  source: SavedQuery['source'],
): Generator<QueryProblem> {
  for (const [at, { op, column }] of calculations.entries()) {
    const field = column === undefined ? undefined : fields.get(column);
    if (field?.type !== 'BOOLEAN' || numbersOnlyExcept.includes(op)) continue;
    const message = `${op} needs numbers, and ${JSON.stringify(column)} holds booleans.`;
    yield { ...source.place(`/calculations/${at}/column`), message };
  }
}

/**
 * Writes the statement that counts the events the query covers, finds whether their weights differ,
 * and counts the texts that are numbers.
 */
export function countSql(base: Base): string {
  const texts = [...base.texts.values()].flatMap((name) => [
    `count(${name}) AS ${name}_all`,
    `count(TRY_CAST(${name} AS DOUBLE)) AS ${name}_numbers`,
  ]);
  const columns = ['count(*) AS events', 'min(w) AS lightest', 'max(w) AS heaviest', ...texts];
  return `SELECT ${columns.join(', ')} FROM base`;
}

/**
 * Notes the values that a calculation leaves out because they aren't numbers.
 * @param seen the row of {@link countSql}
 * @throws {InvalidQuerySpecification} for a calculation over a column in which no value is a number
 */
export function textNotes(
  { calculations }: QuerySpecification,
  { texts }: Base,
  seen: Record<string, DuckDBValue>,
  source: SavedQuery['source'],
): QueryProblem[] {
  const notes: QueryProblem[] = [];
  for (const [column, name] of texts) {
    const [all, numbers] = [Number(seen[`${name}_all`]), Number(seen[`${name}_numbers`])];
    if (all === numbers) continue;
    const at = calculations.findIndex(
      (calculation) => calculation.column === column && !numbersOnlyExcept.includes(calculation.op),
    );
    const place = source.place(`/calculations/${at}/column`);
    const op = calculations[at]?.op;
    if (numbers === 0) {
      const message = `${op} needs numbers, and ${JSON.stringify(column)} holds texts.`;
      throw new InvalidQuerySpecification([{ ...place, message }]);
    }
    const message = `${all - numbers} of ${all} values of ${JSON.stringify(column)} are not numbers: ${op} leaves them out.`;
    notes.push({ ...place, message });
  }
  return notes;
}
