import { functions, numberOf, textOf } from './functions.ts';
import type { BinaryOperator, Expression, Value } from './query.ts';

/** The fields of an event, and the columns that commands have added. */
export type Row = ReadonlyMap<string, Value>;

/** @returns the value of an expression for one row. */
export function evaluate(expression: Expression, row: Row): Value {
  switch (expression.kind) {
    case 'field':
      return row.get(expression.name);
    case 'literal':
      return expression.value;
    case 'bin': {
      const time = numberOf(row.get('@timestamp'));
      return time === undefined ? undefined : Math.floor(time / expression.milliseconds) * expression.milliseconds;
    }
    case 'call':
      return functions[expression.name]?.(...expression.parameters.map((one) => evaluate(one, row)));
    case 'negative': {
      const number = numberOf(evaluate(expression.operand, row));
      return number === undefined ? undefined : -number;
    }
    case 'not':
      return !isTrue(evaluate(expression.operand, row));
    case 'like': {
      const value = evaluate(expression.operand, row);
      return (value !== undefined && contains(String(value), expression.pattern)) !== expression.negated;
    }
    case 'in': {
      const value = evaluate(expression.operand, row);
      const isIn = expression.list.some((one) => compare(value, evaluate(one, row)) === 0);
      return isIn !== expression.negated;
    }
    case 'binary':
      return binary(expression.operator, expression.left, expression.right, row);
  }
}

export function isTrue(value: Value): boolean {
  return value === true || value === 'true' || (typeof value === 'number' && value !== 0);
}

function contains(text: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
}

function binary(operator: BinaryOperator, left: Expression, right: Expression, row: Row): Value {
  if (operator === 'and') return isTrue(evaluate(left, row)) && isTrue(evaluate(right, row));
  if (operator === 'or') return isTrue(evaluate(left, row)) || isTrue(evaluate(right, row));
  const [one, other] = [evaluate(left, row), evaluate(right, row)];
  const order = comparisons[operator];
  if (order) return order(compare(one, other));
  const [a, b] = [numberOf(one), numberOf(other)];
  if (a === undefined || b === undefined) return undefined;
  const result = arithmetic[operator]?.(a, b);
  return result !== undefined && Number.isFinite(result) ? result : undefined;
}

/** By the order of two values; undefined where one of them is missing. */
const comparisons: Partial<Record<BinaryOperator, (order: number | undefined) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order !== undefined && order < 0,
  '<=': (order) => order !== undefined && order <= 0,
  '>': (order) => order !== undefined && order > 0,
  '>=': (order) => order !== undefined && order >= 0,
};

const arithmetic: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => a ** b,
};

/** Compares as numbers if both read as numbers, else as text. */
export function compare(one: Value, other: Value): number | undefined {
  if (one === undefined || other === undefined) return undefined;
  const [a, b] = [numberOf(one), numberOf(other)];
  if (a !== undefined && b !== undefined) return a - b;
  const [text, otherText] = [textOf(one), textOf(other)];
  return text < otherText ? -1 : text > otherText ? 1 : 0;
}
