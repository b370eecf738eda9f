import type { IToken } from 'chevrotain';
import { problemAt, unquoted } from '../syntax.ts';
import type { Comparison } from './pattern.ts';
import * as tokens from './tokens.ts';

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** @returns what a comparison compares with. @throws SyntaxProblem for a regex that is not one. */
export function comparedWith(token: IToken): Pick<Comparison, 'text' | 'number'> {
  if (token.tokenType === tokens.regex) return { text: regexOf(token) };
  const isQuoted = token.tokenType === tokens.quotedText;
  const text = isQuoted ? unquoted(token.image) : token.image;
  if (!isQuoted && numberPattern.test(text)) return { text, number: Number(text) };
  return { text: text.includes('*') ? wildcards(text) : text };
}

function wildcards(text: string): RegExp {
  const parts = text.split(/\*+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`, 'u');
}

/** Letters, digits, these signs and operators: no parentheses. */
const allowedInRegex = /^(?:[A-Za-z0-9 :_#=@/;,^$?[\]{}|*+.-]|\\.)*$/;

/** @returns the expression between the percent signs. @throws SyntaxProblem when it is not one. */
export function regexOf(token: IToken): RegExp {
  const source = token.image.slice(1, -1);
  if (!allowedInRegex.test(source))
    throw problemAt(token, 'The regular expression has a character that is not supported');
  try {
    return new RegExp(source);
  } catch (error) {
    throw problemAt(token, (error as Error).message);
  }
}

/** @returns the steps of `$.a['b c'][0]`. */
export function jsonPath(selector: string): (string | number)[] {
  const steps = selector.matchAll(/\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]|\.([^.[]+)/g);
  return [...steps].map(([, single, double, index, name]) =>
    index === undefined ? (single ?? double ?? name ?? '') : Number(index),
  );
}
