import { checkKeys, isObject, type JsonObject, kindOf, Problems } from './problems.ts';
import { parseSource, type SourceText } from './source-text.ts';
import {
  defaultTimeRangeSeconds,
  InvalidQuerySpecification,
  mostRows,
  type QuerySpecification,
} from './specification.ts';
import { readBreakdowns, readCalculations, readFilters, readHavings, readOrders } from './validate-terms.ts';

/** A query as it stands in a file: the specification, and what it is called. */
export interface SavedQuery {
  specification: QuerySpecification;
  name?: string;
  description?: string;
  /** The text it was read from: for the places of what a run finds wrong. */
  source: SourceText;
  /** The specification as it was written: what Honeycomb's API takes. */
  written: JsonObject;
}

const keys = [
  'calculations',
  'filters',
  'filter_combination',
  'breakdowns',
  'orders',
  'havings',
  'limit',
  'time_range',
  'start_time',
  'end_time',
  'granularity',
];
/** Members of a file beside the specification; Honeycomb's API returns `id`. */
const ownKeys = ['name', 'description'];

const unsupported = {
  calculated_fields: 'a calculated field has a language of its own',
  formulas: 'Honeycomb has them for its metrics alone',
  compare_time_offset_seconds: 'run the query twice, with another start_time',
  usage_mode: "it asks for Honeycomb's own usage data",
};

/**
 * Reads a query in Honeycomb's specification, which a file may have `name` and `description`
 * beside.
 * @throws InvalidQuerySpecification with every problem and its place.
 */
export function readSavedQuery(text: string): SavedQuery {
  const source = parseSource(text);
  const problems = new Problems(source);
  const query = source.value;
  if (!isObject(query)) {
    const place = source.place('');
    throw new InvalidQuerySpecification([{ ...place, message: `A query must be an object, not ${kindOf(query)}.` }]);
  }
  checkKeys(query, '', [...keys, ...ownKeys, 'id'], problems, unsupported);
  const specification = readSpecification(query, problems);
  const name = readText(query, 'name', 320, problems);
  const description = readText(query, 'description', 1_023, problems);
  problems.throwIfAny();
  const written = Object.fromEntries(Object.entries(query).filter(([key]) => keys.includes(key)));
  return {
    specification,
    source,
    written,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
  };
}

function readSpecification(query: JsonObject, problems: Problems): QuerySpecification {
  const asked = readCalculations(query, problems);
  const calculations = asked.length > 0 ? asked : [{ op: 'COUNT' as const }];
  const breakdowns = readBreakdowns(query, problems);
  const combination = query.filter_combination ?? 'AND';
  if (combination !== 'AND' && combination !== 'OR') {
    problems.add('/filter_combination', `"filter_combination" must be AND or OR, not ${kindOf(combination)}.`);
  }
  const specification: QuerySpecification = {
    calculations,
    filters: readFilters(query, problems),
    filterCombination: combination === 'OR' ? 'OR' : 'AND',
    breakdowns,
    orders: readOrders(query, { calculations, breakdowns }, problems),
    havings: readHavings(query, { calculations, breakdowns }, problems),
    limit: whole(query, 'limit', problems, { most: mostRows }) ?? mostRows,
  };
  readTimes(query, specification, problems);
  return specification;
}

function readTimes(query: JsonObject, specification: QuerySpecification, problems: Problems): void {
  const timeRange = whole(query, 'time_range', problems);
  const startTime = whole(query, 'start_time', problems);
  const endTime = whole(query, 'end_time', problems);
  // Honeycomb's query builder writes 0 for "choose one for me".
  const granularity = whole(query, 'granularity', problems, { least: 0 });
  if (timeRange !== undefined) specification.timeRange = timeRange;
  if (startTime !== undefined) specification.startTime = startTime;
  if (endTime !== undefined) specification.endTime = endTime;
  if (timeRange !== undefined && startTime !== undefined && endTime !== undefined) {
    problems.add('/time_range', '"time_range" cannot be combined with both "start_time" and "end_time".');
  }
  if (startTime !== undefined && endTime !== undefined && startTime >= endTime) {
    problems.add('/end_time', '"end_time" must be after "start_time".');
    return;
  }
  if (!granularity) return;
  specification.granularity = granularity;
  const range = lengthOf(specification);
  const [least, most] = [Math.ceil(range / 1_000), Math.floor(range / 10)];
  if (granularity < least || granularity > most) {
    const allowed = `from a thousandth to a tenth of the ${range} s that the query covers: ${least} to ${most}`;
    problems.add('/granularity', `"granularity" must be ${allowed}, not ${granularity}.`);
  }
}

/** @returns how many seconds the query covers. */
export function lengthOf({ timeRange, startTime, endTime }: QuerySpecification): number {
  if (startTime !== undefined && endTime !== undefined) return endTime - startTime;
  return timeRange ?? defaultTimeRangeSeconds;
}

const latestSeconds = 8.64e12;

function whole(
  query: JsonObject,
  key: string,
  problems: Problems,
  { least = 1, most = latestSeconds }: { least?: number; most?: number } = {},
): number | undefined {
  const value = query[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === latestSeconds ? `of at least ${least}` : `from ${least} to ${most}`;
  problems.add(`/${key}`, `"${key}" must be a whole number ${range}, not ${kindOf(value)}.`);
  return undefined;
}

function readText(query: JsonObject, key: string, longest: number, problems: Problems): string | undefined {
  const value = query[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= longest) return value;
  const found = typeof value === 'string' && value !== '' ? `one of ${value.length}` : kindOf(value);
  problems.add(`/${key}`, `"${key}" must be a text of 1 to ${longest} characters, not ${found}.`);
  return undefined;
}
