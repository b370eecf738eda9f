import type { IToken } from 'chevrotain';
import { LanguageParser, problemAt } from '../syntax.ts';
import type { Comparison, Operator } from './pattern.ts';
import * as tokens from './tokens.ts';
import { comparedWith } from './values.ts';

/** The parts that the two languages of conditions share. */
export abstract class ConditionParser extends LanguageParser {
  protected comparisonWith(value: () => IToken): () => Comparison {
    return () => {
      const operator = this.CONSUME(tokens.operator);
      const token = value();
      return this.ACTION(() => comparison(operator, token));
    };
  }
}

function comparison(operator: IToken, token: IToken): Comparison {
  const found = { operator: operator.image as Operator, ...comparedWith(token) };
  const isOrder = found.operator !== '=' && found.operator !== '!=';
  if (isOrder && found.number === undefined) throw problemAt(token, `${operator.image} needs a number`);
  return found;
}

/** @returns the one part, or all of them as one condition. */
export function combined<T extends { kind: string }>(kind: 'all' | 'any', parts: T[]): T {
  return parts.length === 1 && parts[0] ? parts[0] : ({ kind, parts } as unknown as T);
}
