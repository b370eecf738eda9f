import { type CalculationOp, knownCalculations, knownFilters, knownHavings } from './operators.ts';
import { checkKeys, elementsOf, isObject, type JsonObject, kindOf, oneOf, type Problems, shown } from './problems.ts';
import { child } from './source-text.ts';
import {
  type Calculation,
  calculationName,
  type Filter,
  type Having,
  type Order,
  type Scalar,
} from './specification.ts';

const metricsOnly = 'Honeycomb has it for its metrics alone';

export function readCalculations(query: JsonObject, problems: Problems): Calculation[] {
  const found: Calculation[] = [];
  for (const { pointer, value } of elementsOf(query, 'calculations', problems)) {
    if (!isObject(value)) {
      problems.add(pointer, `A calculation must be an object with "op", not ${kindOf(value)}.`);
      continue;
    }
    checkKeys(value, pointer, ['op', 'column'], problems, {
      name: metricsOnly,
      filters: metricsOnly,
      filter_combination: metricsOnly,
    });
    const op = oneOf(value, 'op', knownCalculations, pointer, problems);
    const column = readColumn(value, pointer, problems);
    if (op === undefined || column === invalid) continue;
    if (!columnFits(op, column, pointer, problems)) continue;
    const calculation: Calculation = column === undefined ? { op } : { op, column };
    if (found.some((other) => calculationName(other) === calculationName(calculation))) {
      problems.add(pointer, `${calculationName(calculation)} is asked for twice.`);
    } else found.push(calculation);
  }
  return found;
}

const invalid = Symbol('invalid');

/** @returns the name of a column; undefined where there is none. */
function readColumn(object: JsonObject, pointer: string, problems: Problems): string | undefined | typeof invalid {
  const column = object.column;
  if (column === undefined || column === null) return undefined;
  if (typeof column === 'string' && column !== '') return column;
  problems.add(child(pointer, 'column'), `"column" must be the name of a column, not ${kindOf(column)}.`);
  return invalid;
}

function columnFits(op: CalculationOp, column: string | undefined, pointer: string, problems: Problems): boolean {
  if (op === 'CONCURRENCY' && column !== undefined) {
    problems.add(child(pointer, 'column'), 'CONCURRENCY takes no column: it counts the spans that run.');
    return false;
  }
  if (column === undefined && op !== 'COUNT' && op !== 'CONCURRENCY') {
    problems.add(pointer, `${op} needs a "column".`);
    return false;
  }
  return true;
}

export function readBreakdowns(query: JsonObject, problems: Problems): string[] {
  const found: string[] = [];
  for (const { pointer, value } of elementsOf(query, 'breakdowns', problems)) {
    if (typeof value !== 'string' || value === '') {
      problems.add(pointer, `A breakdown must be the name of a column, not ${kindOf(value)}.`);
    } else if (found.includes(value)) problems.add(pointer, `The breakdown ${shown(value)} stands twice.`);
    else found.push(value);
  }
  return found;
}

export function readFilters(query: JsonObject, problems: Problems): Filter[] {
  const found: Filter[] = [];
  for (const { pointer, value } of elementsOf(query, 'filters', problems)) {
    if (!isObject(value)) {
      problems.add(pointer, `A filter must be an object with "column" and "op", not ${kindOf(value)}.`);
      continue;
    }
    checkKeys(value, pointer, ['column', 'op', 'value'], problems, { join_column: 'it joins another data set' });
    const op = oneOf(value, 'op', knownFilters, pointer, problems);
    const column = readColumn(value, pointer, problems);
    if (column === undefined) problems.add(pointer, 'A filter needs a "column".');
    if (op === undefined || column === undefined || column === invalid) continue;
    const filter: Filter = { column, op };
    const given = value.value;
    if (op === 'exists' || op === 'does-not-exist') {
      // Honeycomb's query builder writes an empty value here.
      if (given !== undefined && given !== null && given !== '') {
        problems.add(child(pointer, 'value'), `${op} takes no value.`);
        continue;
      }
    } else {
      const read = readFilterValue(filter, given, pointer, problems);
      if (read === undefined) continue;
      filter.value = read;
    }
    found.push(filter);
  }
  return found;
}

function isScalar(value: unknown): value is Scalar {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

const ofText = ['starts-with', 'does-not-start-with', 'ends-with', 'does-not-end-with', 'contains', 'does-not-contain'];
const ofOrder = ['>', '>=', '<', '<='];

function readFilterValue(
  { op }: Filter,
  value: unknown,
  pointer: string,
  problems: Problems,
): Scalar | Scalar[] | undefined {
  const place = value === undefined ? pointer : child(pointer, 'value');
  if (op === 'in' || op === 'not-in') {
    if (Array.isArray(value) && value.length > 0 && value.every(isScalar)) return value;
    const found = Array.isArray(value) && value.length > 0 ? 'a list with something else in it' : kindOf(value ?? null);
    problems.add(place, `${op} needs a "value" that is a list of texts, numbers or booleans, not ${found}.`);
    return undefined;
  }
  if (ofText.includes(op)) {
    if (typeof value === 'string' || typeof value === 'number') return String(value);
    problems.add(place, `${op} needs a "value" that is a text, not ${kindOf(value ?? null)}.`);
    return undefined;
  }
  if (ofOrder.includes(op) && typeof value === 'boolean') {
    problems.add(place, `${op} needs a "value" that is a number or a text, not ${value}.`);
    return undefined;
  }
  if (isScalar(value)) return value;
  problems.add(place, `${op} needs a "value" that is a text, a number or a boolean, not ${kindOf(value ?? null)}.`);
  return undefined;
}

/** The calculations that orders and havings may name. */
export interface Terms {
  calculations: readonly Calculation[];
  breakdowns: readonly string[];
}

export function readOrders(query: JsonObject, terms: Terms, problems: Problems): Order[] {
  const found: Order[] = [];
  for (const { pointer, value } of elementsOf(query, 'orders', problems)) {
    if (!isObject(value)) {
      problems.add(pointer, `An order must be an object with "column" or "op", not ${kindOf(value)}.`);
      continue;
    }
    checkKeys(value, pointer, ['column', 'op', 'order'], problems);
    const op =
      value.op === undefined || value.op === null
        ? undefined
        : oneOf(value, 'op', knownCalculations, pointer, problems);
    if (op === undefined && value.op !== undefined && value.op !== null) continue;
    const column = readColumn(value, pointer, problems);
    if (column === invalid) continue;
    const direction = value.order ?? 'ascending';
    if (direction !== 'ascending' && direction !== 'descending') {
      problems.add(child(pointer, 'order'), `"order" must be ascending or descending, not ${kindOf(direction)}.`);
      continue;
    }
    const order: Order = { descending: direction === 'descending' };
    if (op !== undefined) order.op = op;
    if (column !== undefined) order.column = column;
    if (orderFits(order, terms, pointer, problems)) found.push(order);
  }
  return found;
}

function orderFits({ op, column }: Order, terms: Terms, pointer: string, problems: Problems): boolean {
  if (op === undefined && column === undefined) {
    problems.add(pointer, 'An order needs an "op" of the calculations or a "column" of the breakdowns.');
    return false;
  }
  if (op === 'HEATMAP') {
    problems.add(child(pointer, 'op'), 'HEATMAP has no order: it is many numbers.');
    return false;
  }
  if (op === undefined) {
    if (terms.breakdowns.includes(column ?? '')) return true;
    problems.add(child(pointer, 'column'), `The order ${shown(column)} is not among the breakdowns.`);
    return false;
  }
  return isCalculated({ op, column }, terms, pointer, 'order', problems);
}

function isCalculated(
  { op, column }: { op: CalculationOp; column: string | undefined },
  { calculations }: Terms,
  pointer: string,
  what: 'order' | 'having',
  problems: Problems,
): boolean {
  const name = calculationName(column === undefined ? { op } : { op, column });
  if (calculations.some((calculation) => calculationName(calculation) === name)) return true;
  const there = calculations.map(calculationName).join(', ');
  problems.add(pointer, `The ${what} ${name} is not among the calculations, which are ${there}.`);
  return false;
}

export function readHavings(query: JsonObject, terms: Terms, problems: Problems): Having[] {
  const found: Having[] = [];
  for (const { pointer, value } of elementsOf(query, 'havings', problems)) {
    if (!isObject(value)) {
      problems.add(pointer, `A having must be an object with "calculate_op", "op" and "value", not ${kindOf(value)}.`);
      continue;
    }
    checkKeys(value, pointer, ['calculate_op', 'column', 'op', 'value'], problems);
    const allowed = knownCalculations.filter((name) => name !== 'HEATMAP');
    const op = oneOf(value, 'calculate_op', allowed, pointer, problems);
    const compare = oneOf(value, 'op', knownHavings, pointer, problems);
    const column = readColumn(value, pointer, problems);
    const number = value.value;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      const place = number === undefined ? pointer : child(pointer, 'value');
      problems.add(place, `A having needs a "value" that is a number, not ${kindOf(number ?? null)}.`);
      continue;
    }
    if (op === undefined || compare === undefined || column === invalid) continue;
    if (!isCalculated({ op, column }, terms, pointer, 'having', problems)) continue;
    found.push(column === undefined ? { op, compare, value: number } : { op, column, compare, value: number });
  }
  return found;
}
