import type { QueryResult, Value } from '../../query/result.ts';
import type { QuerySpecification } from '../../query/specification.ts';

export interface ResultOptions {
  disableSeries: boolean;
  wantsTotals: boolean;
  limit?: number;
}

type Ask = (changed: Partial<QuerySpecification>) => Promise<QueryResult>;

/** @returns the member `data` of a query result, in Honeycomb's own form. */
export async function resultData(ask: Ask, specification: QuerySpecification, options: ResultOptions): Promise<object> {
  const { disableSeries, wantsTotals, limit } = options;
  const { granularity: _, ...withoutSeries } = specification;
  const asked = disableSeries ? { ...withoutSeries, granularity: undefined } : {};
  const result = await ask({ ...(asked as Partial<QuerySpecification>), ...(limit !== undefined && { limit }) });
  const data: Record<string, unknown> = {
    results: result.rows.map((row) => ({ data: members(result, row) })),
    series: disableSeries ? [] : seriesOf(result),
  };
  if (wantsTotals) {
    const total = await ask({ breakdowns: [], orders: [], havings: [] });
    data.total_by_aggregate = { data: members(total, total.rows[0] ?? []) };
    if (!disableSeries) data.total_by_aggregate_series = seriesOf(total);
  }
  return data;
}

function seriesOf(result: QueryResult): object[] {
  return result.series.map(({ time, values }) => ({
    time: new Date(time).toISOString().replace('.000Z', 'Z'),
    data: members(result, values),
  }));
}

/** A heat map has no column in Honeycomb's table, and a missing value no member. */
function members({ columns }: QueryResult, row: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(
    columns.flatMap(({ name }, at): [string, Value][] => {
      const value = row[at];
      return value === null || value === undefined || Array.isArray(value) ? [] : [[name, value]];
    }),
  );
}
